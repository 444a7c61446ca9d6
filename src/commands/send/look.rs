//! What a file in a folder is, by its beginning: a text that a platform may have written, nothing,
//! something else, or what cannot be read.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// As much of a file is looked at.
const HEAD: u64 = 4096;

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// A text.
    Text,
    /// There is nothing in it.
    Empty,
    /// A sound, a picture, or words for people.
    Other,
    /// Why it cannot be read.
    Broken(String),
}

/// Looks at a file, after decompression.
pub fn look(path: &Path) -> Look {
    let head = match head(path) {
        Ok(head) => head,
        Err(why) => return Look::Broken(why),
    };
    let for_people = path.extension().is_some_and(|e| e == "md");
    match is_text(&head) && !for_people {
        _ if head.is_empty() => Look::Empty,
        true => Look::Text,
        false => Look::Other,
    }
}

fn is_text(head: &[u8]) -> bool {
    let valid = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character may be cut off at the end.
        Err(e) => e.error_len().is_none(),
    };
    valid && !head.contains(&0)
}

/// The beginning of what a file holds.
fn head(path: &Path) -> Result<Vec<u8>, String> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD).read_to_end(&mut head))
        .map_err(|e| e.to_string())?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        let unpacked = MultiGzDecoder::new(&head[..])
            .take(HEAD)
            .read_to_end(&mut plain);
        // The head of a gzip is cut off somewhere: what came out before the cut is enough. What is
        // broken behind it the server finds.
        return match unpacked {
            Err(e) if plain.is_empty() => Err(format!("its gzip is broken: {e}")),
            _ => Ok(plain),
        };
    }
    let packed = path.extension();
    if packed.is_some_and(|e| e.eq_ignore_ascii_case("gz")) && !is_text(&head) {
        return Err("it is called gz and is no gzip".to_owned());
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(plain).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn what_is_broken_is_told_from_what_is_meant_for_others() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            look(&path)
        };
        assert_eq!(at("a.json", b"{}"), Look::Text);
        assert_eq!(at("a.json.gz", &gzip(b"{}")), Look::Text);
        // Long, so that its head is cut off.
        let long: Vec<u8> = (0..60_000u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_string().into_bytes())
            .collect();
        assert_eq!(at("long.csv.gz", &gzip(&long)), Look::Text);
        assert_eq!(at("none.json", b""), Look::Empty);
        assert_eq!(at("none.json.gz", &gzip(b"")), Look::Empty);
        assert_eq!(at("README.md", b"about"), Look::Other);
        assert_eq!(at("call.wav", b"RIFF\0\0\0\0"), Look::Other);
        assert_eq!(at("call.wav.gz", &gzip(b"RIFF\0\0\0\0")), Look::Other);
        let broken = |look: Look| matches!(look, Look::Broken(why) if why.contains("gzip"));
        assert!(broken(at("short.gz", &gzip(b"{}")[..6])));
        assert!(broken(at(
            "bad.gz",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xff\xff\xff"
        )));
        assert!(broken(at("noise.csv.gz", b"\x01\x02\xff\x03")));
        assert!(matches!(look(&dir.path().join("gone")), Look::Broken(_)));
    }
}
