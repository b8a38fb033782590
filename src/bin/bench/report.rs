//! The figures of all runs, as a table.

use std::io::{self, IsTerminal};

use parley::net;

/// Runs of each workload that count.
const RUNS: usize = 5;

/// One result of one run: its name, its unit and its value.
pub(crate) type Figure = (&'static str, &'static str, f64);

/// The figures so far.
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

impl Report {
    /// Runs a workload once without counting it, and then [`RUNS`] times.
    pub(crate) fn measure(&mut self, workload: &str, run: impl Fn() -> io::Result<Vec<Figure>>) -> io::Result<()> {
        let first = self.rows.len();
        for number in 0..=RUNS {
            progress(&format!("{workload}: run {number} of {RUNS}"));
            let figures = run().map_err(|error| io::Error::other(format!("{workload}: {error}")))?;
            if number == 0 {
                let row = |(figure, unit, _)| Row { workload: workload.to_owned(), figure, unit, values: Vec::new() };
                self.rows.extend(figures.into_iter().map(row));
                continue;
            }
            for (row, (_, _, value)) in self.rows[first..].iter_mut().zip(figures) {
                row.values.push(value);
                row.values.sort_unstable_by(f64::total_cmp);
            }
        }
        progress("");
        Ok(())
    }

    /// Returns a table of all figures.
    pub(crate) fn table(&self) -> String {
        let mut text =
            format!("{:<28} {:<20} {:>5} {:>10} {:>10} {:>10}\n", "workload", "figure", "", "min", "median", "max");
        for Row { workload, figure, unit, values } in &self.rows {
            let [min, median, max] = [0, RUNS / 2, RUNS - 1].map(|index| values[index]);
            text += &format!("{workload:<28} {figure:<20} {unit:>5} {min:>10.2} {median:>10.2} {max:>10.2}\n");
        }
        text
    }
}

/// Shows the current run on a terminal.
fn progress(text: &str) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        let _ = net::write_fully(&mut stderr, format!("\r\x1b[K{text}").as_bytes());
    }
}
