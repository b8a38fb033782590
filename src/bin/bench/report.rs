//! The figures of all runs, as a table.

use std::io::{self, IsTerminal};

use parley::net;

use crate::workload::Figure;

/// Runs of each workload that count.
const RUNS: usize = 5;

/// What was measured so far.
#[derive(Default)]
pub(crate) struct Report {
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
    fn min(&self) -> f64 {
        self.values.first().copied().unwrap_or(f64::NAN)
    }

    fn median(&self) -> f64 {
        self.values.get(self.values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn max(&self) -> f64 {
        self.values.last().copied().unwrap_or(f64::NAN)
    }
}

impl Report {
    /// Runs a workload as often as the report wants, after once that does not count.
    pub(crate) fn measure(&mut self, workload: &str, run: impl Fn() -> io::Result<Vec<Figure>>) -> io::Result<()> {
        let first = self.rows.len();
        for number in 0..=RUNS {
            progress(&format!("{workload}: run {number} of {RUNS}"));
            let figures = run().map_err(|error| io::Error::other(format!("{workload}: {error}")))?;
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
            let (min, median, max) = (row.min(), row.median(), row.max());
            let (workload, figure, unit) = (&row.workload, row.figure, row.unit);
            text += &format!("{workload:<28} {figure:<20} {unit:>5} {min:>10.2} {median:>10.2} {max:>10.2}\n");
        }
        text
    }
}

/// Shows on a terminal what is being done; nothing clears it.
fn progress(text: &str) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        let _ = net::write_fully(&mut stderr, format!("\r\x1b[K{text}").as_bytes());
    }
}
