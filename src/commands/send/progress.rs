//! The progress bar: bytes and lines. It is silent where the error output is no terminal.

use callboard_ingest::doors::follow::Tail;
use indicatif::{ProgressBar, ProgressStyle};

use super::tally::Tally;

/// Shows how far all files are together.
pub struct Progress {
    bar: ProgressBar,
    done: u64,
    said: String,
}

impl Progress {
    /// A bar, or for followed files, which have no end, a line.
    pub fn new(follow: bool) -> Self {
        let (bar, style) = if follow {
            let style = "{spinner} {bytes} {msg}";
            (ProgressBar::new_spinner(), style)
        } else {
            let style = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}";
            (ProgressBar::no_length(), style)
        };
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Progress {
            bar,
            done: 0,
            said: String::new(),
        }
    }

    /// The files that are to be sent.
    pub fn begin(&mut self, tails: &mut [Tail]) {
        self.bar.set_length(tails.iter().map(Tail::size).sum());
        self.bar
            .set_position(tails.iter_mut().map(Tail::consumed).sum());
        self.bar.reset_eta();
    }

    /// A part was acknowledged.
    pub fn at(&mut self, tails: &mut [Tail], tally: &Tally) {
        self.said.clear();
        let open: u64 = tails.iter_mut().map(Tail::consumed).sum();
        self.bar.set_position(self.done + open);
        self.bar.set_message(format!("{} lines", tally.lines()));
    }

    /// A file is at its end.
    pub fn done(&mut self, tail: &Tail) {
        self.done += tail.size();
        self.bar.set_position(self.done);
    }

    /// The server takes nothing now.
    pub fn waiting(&mut self, why: &str) {
        // Without a terminal: once, not at each try.
        if self.bar.is_hidden() && self.said != why {
            eprintln!("callboard: {why}; trying again");
            why.clone_into(&mut self.said);
        }
        self.bar.set_message(format!("waiting: {why}"));
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}
