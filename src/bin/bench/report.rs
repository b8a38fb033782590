//! The figures of all runs, as a table or as JSON.

use std::io::{self, IsTerminal};

use parley::net;

use crate::failure::Failure;
use crate::workload::Figure;

/// What was measured so far.
pub(crate) struct Report {
    runs: usize,
    rows: Vec<Row>,
}

/// One figure of one workload, over all runs.
struct Row {
    workload: String,
    figure: &'static str,
    unit: &'static str,
    /// In ascending order.
    values: Vec<f64>,
}

impl Row {
    fn least(&self) -> f64 {
        self.values.first().copied().unwrap_or(f64::NAN)
    }

    fn median(&self) -> f64 {
        self.values.get(self.values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn most(&self) -> f64 {
        self.values.last().copied().unwrap_or(f64::NAN)
    }
}

impl Report {
    /// A report of so many runs of each workload.
    pub(crate) fn new(runs: usize) -> Self {
        Self { runs, rows: Vec::new() }
    }

    /// Runs a workload as often as the report wants, after once that does not count.
    pub(crate) fn measure(
        &mut self,
        workload: &str,
        run: impl Fn() -> Result<Vec<Figure>, Failure>,
    ) -> Result<(), Failure> {
        let first = self.rows.len();
        for number in 0..=self.runs {
            progress(&format!("{workload}: run {number} of {}", self.runs));
            let figures = run().map_err(|failure| Failure::new(format!("{workload}: {failure}")))?;
            if number == 0 {
                let row = |Figure { name, unit, .. }: Figure| {
                    let workload = workload.to_owned();
                    Row { workload, figure: name, unit, values: Vec::new() }
                };
                self.rows.extend(figures.into_iter().map(row));
                continue;
            }
            for (row, figure) in self.rows[first..].iter_mut().zip(figures) {
                row.values.push(figure.value);
                row.values.sort_unstable_by(f64::total_cmp);
            }
        }
        progress("");
        Ok(())
    }

    /// The figures for people.
    pub(crate) fn table(&self) -> String {
        let mut text =
            format!("{:<28} {:<20} {:>5} {:>10} {:>10} {:>10}\n", "workload", "figure", "", "min", "median", "max");
        for row in &self.rows {
            let (least, median, most) = (row.least(), row.median(), row.most());
            let (workload, figure, unit) = (&row.workload, row.figure, row.unit);
            text += &format!("{workload:<28} {figure:<20} {unit:>5} {least:>10.2} {median:>10.2} {most:>10.2}\n");
        }
        text
    }

    /// The figures for programs: a list with one object for each figure.
    pub(crate) fn json(&self) -> String {
        let object = |row: &Row| {
            let (workload, figure, unit) = (&row.workload, row.figure, row.unit);
            let (least, median, most) = (row.least(), row.median(), row.most());
            format!(
                "{{\"workload\": \"{workload}\", \"figure\": \"{figure}\", \"unit\": \"{unit}\", \
                 \"min\": {least}, \"median\": {median}, \"max\": {most}, \"runs\": {}}}",
                self.runs
            )
        };
        format!("[\n  {}\n]\n", self.rows.iter().map(object).collect::<Vec<_>>().join(",\n  "))
    }
}

/// Shows on a terminal what is being done; nothing clears it.
fn progress(text: &str) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        let _ = net::write_fully(&mut stderr, format!("\r\x1b[K{text}").as_bytes());
    }
}
