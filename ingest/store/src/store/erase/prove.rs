//! The proof: everything that is kept is searched, byte by byte where it lies open, value by value
//! where it is packed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use callboard_model::tables::TABLES;

use super::super::{Store, StoreError};
use super::ledger::Pending;
use crate::backup::LINKS;
use crate::erase::Proof;
use crate::erase::needles::Needles;
use crate::lake::ASIDE;
use crate::live::codec::{DEAD_LETTER, RECORD, decode_dead_letter, decode_record};
use crate::storage::{Disk, write_synced};

impl Store {
    /// Looks for these texts in the data folder's own files, in every file of the lake's tables,
    /// and in what the log and the tables hold.
    pub(super) async fn prove(&self, needles: &Needles) -> Result<Proof, StoreError> {
        let mut proof = Proof::default();
        for spec in TABLES {
            self.lake.search(spec.name, needles, &mut proof).await?;
        }
        // What is damaged is not searched: nobody can say what it holds.
        if let Ok(aside) = self.lake.url().to_file_path().map(|lake| lake.join(ASIDE))
            && aside.exists()
        {
            let what = "put aside by a rebuild and not searched: remove it";
            proof.hit(&format!("{} ({what})", aside.display()), 1);
        }
        let root = self.folder.root().to_owned();
        let skipped = [
            // Its tables were searched in their own way, wherever they are.
            self.folder.lake(),
            self.folder.models(),
            root.join(LINKS),
        ];
        let needles = Arc::new(needles.clone());
        let own = needles.clone();
        let found = tokio::task::spawn_blocking(move || {
            let mut proof = Proof::default();
            folder(&root, &root, &skipped, &own, &mut proof).map(|()| proof)
        });
        let found = found.await.map_err(std::io::Error::other)??;
        proof.files += found.files;
        proof.bytes += found.bytes;
        proof.found.extend(found.found);
        self.search_log(&needles, &mut proof)?;
        Ok(proof)
    }

    fn search_log(&self, needles: &Needles, proof: &mut Proof) -> Result<(), StoreError> {
        for item in self.log.read(self.log.first()) {
            let (seq, kind, payload) = item?;
            let texts: Vec<Vec<u8>> = match kind {
                RECORD => {
                    let record = decode_record(&payload)?;
                    let own = [
                        record.source.as_bytes(),
                        record.id.as_bytes(),
                        &record.bytes,
                    ];
                    own.map(<[u8]>::to_vec).to_vec()
                }
                DEAD_LETTER => {
                    let letter = decode_dead_letter(&payload)?;
                    let (source, reason) = (letter.source.into_bytes(), letter.reason.into_bytes());
                    vec![source, reason, letter.bytes]
                }
                _ => vec![payload.to_vec()],
            };
            proof.values += texts.len() as u64;
            let times = texts.iter().map(|text| needles.count(text)).sum();
            proof.hit(&format!("log entry {seq}"), times);
        }
        Ok(())
    }

    /// Takes the names of files that were taken from watched folders out of what is remembered of
    /// them. A file that still lies there is refused when it is offered again.
    pub(super) fn forget_watched(&self, pending: &Pending) -> Result<(), StoreError> {
        let needles = pending.found.needles(&pending.wish);
        let state = self.folder.state();
        for entry in std::fs::read_dir(&state)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
            if !(name.starts_with("watched-") && name.ends_with(".jsonl")) {
                continue;
            }
            let bytes = std::fs::read(&path)?;
            let lines = bytes.split_inclusive(|b| *b == b'\n');
            let kept: Vec<u8> = lines
                .filter(|l| !needles.any(l))
                .flatten()
                .copied()
                .collect();
            if kept.len() < bytes.len() {
                write_synced(&Disk, &path, &kept)?;
            }
        }
        Ok(())
    }
}

fn folder(
    root: &Path,
    below: &Path,
    skipped: &[PathBuf],
    needles: &Needles,
    proof: &mut Proof,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(below)? {
        let entry = entry?;
        let path = entry.path();
        if skipped.contains(&path) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            folder(root, &path, skipped, needles, proof)?;
            continue;
        }
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // It went meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        proof.files += 1;
        proof.bytes += bytes.len() as u64;
        let name = path.strip_prefix(root).unwrap_or(&path);
        proof.hit(&name.display().to_string(), needles.count(&bytes));
    }
    Ok(())
}
