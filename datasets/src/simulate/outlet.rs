//! Where events go, and the folder in which everything is written.

use std::io::Write;
use std::path::Path;

use super::world::Site;
use super::write::{FileEntry, Lines};
use super::{Options, SimulateError};

/// Where events go.
pub enum Outlet<'a> {
    /// A file for what is known before anything happens, and then one for each site; none where a
    /// platform writes files of its own.
    Files(Vec<Lines>),
    /// All in one.
    Stream(&'a mut dyn Write),
}

impl<'a> Outlet<'a> {
    /// Files below the folder, or the stream where there is one.
    pub fn create(
        options: &Options,
        sites: &[Site],
        stream: Option<&'a mut dyn Write>,
    ) -> Result<Self, SimulateError> {
        if let Some(stream) = stream {
            return Ok(Outlet::Stream(stream));
        }
        if options.platform.is_some() {
            return Ok(Outlet::Files(Vec::new()));
        }
        let names = std::iter::once("setup").chain(sites.iter().map(|s| s.name.as_str()));
        let files = names.map(|name| Lines::create(&options.out, &format!("events/{name}.ndjson")));
        Ok(Outlet::Files(files.collect::<Result<_, _>>()?))
    }

    /// A line of what is known before anything happens.
    pub fn setup(&mut self, line: &[u8]) -> Result<(), SimulateError> {
        match self {
            Outlet::Files(files) => files.first_mut().map_or(Ok(()), |file| file.line(line)),
            Outlet::Stream(stream) => told(stream, line),
        }
    }

    /// A line of a site.
    pub fn line(&mut self, site: usize, line: &[u8]) -> Result<(), SimulateError> {
        match self {
            Outlet::Files(files) => files[site + 1].line(line),
            Outlet::Stream(stream) => told(stream, line),
        }
    }

    /// Nothing follows: the files that were written.
    pub fn finish(self) -> Result<Vec<FileEntry>, SimulateError> {
        match self {
            Outlet::Files(files) => files.into_iter().map(Lines::finish).collect(),
            Outlet::Stream(stream) => {
                stream.flush().map_err(SimulateError::Output)?;
                Ok(Vec::new())
            }
        }
    }
}

fn told(stream: &mut impl Write, line: &[u8]) -> Result<(), SimulateError> {
    stream
        .write_all(line)
        .and_then(|()| stream.write_all(b"\n"))
        .map_err(SimulateError::Output)
}

/// Makes the folder; one that holds something is left alone.
pub fn empty(out: &Path) -> Result<(), SimulateError> {
    let wrong = |source| SimulateError::File {
        path: out.to_owned(),
        source,
    };
    std::fs::create_dir_all(out).map_err(wrong)?;
    if std::fs::read_dir(out).map_err(wrong)?.next().is_some() {
        let why = std::io::Error::new(
            std::io::ErrorKind::AlreadyExists,
            "is not empty; name another folder, or empty it",
        );
        return Err(wrong(why));
    }
    Ok(())
}
