//! A reviewer's note on a turn or a contact: a plain form, written, and back to the place.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Redirect, Response};
use url::form_urlencoded;

use crate::app::App;
use crate::error::PageError;
use crate::guard;
use crate::ports::NewNote;
use crate::url as address;

/// Longest note, characters.
pub const LONGEST: usize = 4_000;
/// Longest name of an author, characters.
pub const LONGEST_AUTHOR: usize = 100;
/// Largest form, bytes.
const LARGEST: usize = 64 * 1024;

/// `POST /contacts/{id}/notes`
///
/// # Errors
/// When the form comes from elsewhere, is out of bounds, or the note cannot be written.
pub async fn write(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    guard::same_origin(&Method::POST, &headers).map_err(PageError::forbidden)?;
    if body.len() > LARGEST {
        return Err(PageError::bad(format!(
            "The form is larger than {LARGEST} bytes."
        )));
    }
    let note = read(&id, &body).map_err(PageError::bad)?;
    let place = note
        .turn_seq
        .map_or("#notes".to_owned(), |seq| format!("#turn-{seq}"));
    let exists = format!(
        "SELECT 1 AS one FROM callboard.contacts WHERE contact_id = {}",
        crate::data::text(&id)
    );
    if app.data.rows(&exists).await?.is_empty() {
        return Err(PageError::missing(
            format!("There is no contact {id:?}."),
            "/contacts",
        ));
    }
    app.notes
        .write(note)
        .await
        .map_err(|why| PageError::failed(format!("The note was not kept: {why}")))?;
    Ok(Redirect::to(&format!("{}{place}", address::contact(&id))).into_response())
}

fn read(id: &str, body: &[u8]) -> Result<NewNote, String> {
    let mut note = NewNote {
        contact_id: id.to_owned(),
        leg: None,
        turn_seq: None,
        at_ms: None,
        author: String::new(),
        text: String::new(),
    };
    let number = |name: &str, v: &str| match v {
        "" => Ok(None),
        v => v
            .parse::<i64>()
            .ok()
            .filter(|n| (0..i64::from(i32::MAX)).contains(n))
            .map(Some)
            .ok_or_else(|| format!("{name} is {v:?}; it should be a whole number.")),
    };
    for (name, value) in form_urlencoded::parse(body) {
        let value = value.trim();
        match name.as_ref() {
            "leg" if ["agent", "customer", "mixed"].contains(&value) => {
                note.leg = Some(value.to_owned())
            }
            "turn_seq" => note.turn_seq = number("turn_seq", value)?,
            "at_ms" => note.at_ms = number("at_ms", value)?,
            "author" => note.author = value.to_owned(),
            "text" => note.text = value.replace("\r\n", "\n"),
            _ => {}
        }
    }
    if note.text.is_empty() || note.text.chars().count() > LONGEST {
        return Err(format!("A note has 1 to {LONGEST} characters."));
    }
    if note.author.is_empty() || note.author.chars().count() > LONGEST_AUTHOR {
        return Err(format!(
            "Say who writes the note, in at most {LONGEST_AUTHOR} characters."
        ));
    }
    Ok(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_a_note() {
        let note = read(
            "c1",
            b"text=Well+done%0D%0Aindeed&author=Ann&turn_seq=3&leg=agent&at_ms=1200",
        )
        .unwrap();
        assert_eq!(
            (note.turn_seq, note.at_ms, note.leg.as_deref()),
            (Some(3), Some(1200), Some("agent"))
        );
        assert_eq!(note.text, "Well done\nindeed");
    }

    #[test]
    fn bounds_are_kept() {
        assert!(read("c", b"text=&author=Ann").is_err());
        assert!(read("c", b"text=x&author=").is_err());
        assert!(read("c", b"text=x&author=Ann&turn_seq=-1").is_err());
        let long = format!("author=Ann&text={}", "x".repeat(LONGEST + 1));
        assert!(read("c", long.as_bytes()).is_err());
    }
}
