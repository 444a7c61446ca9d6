//! The few files that pages need beside themselves: one style sheet, small scripts, the icon.
//! They are embedded; their address carries a hash, so that browsers keep them for a year.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const FILES: [(&str, &str, &str); 5] = [
    (
        "callboard.css",
        "text/css; charset=utf-8",
        concat!(
            include_str!("base.css"),
            include_str!("parts.css"),
            include_str!("journey.css"),
            include_str!("contact.css")
        ),
    ),
    (
        "board.js",
        "text/javascript; charset=utf-8",
        include_str!("board.js"),
    ),
    (
        "player.js",
        "text/javascript; charset=utf-8",
        include_str!("player.js"),
    ),
    (
        "forms.js",
        "text/javascript; charset=utf-8",
        include_str!("forms.js"),
    ),
    ("icon.svg", "image/svg+xml", include_str!("icon.svg")),
];

static HASHES: LazyLock<Vec<String>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(_, _, body)| format!("{:016x}", fnv(body.as_bytes())))
        .collect()
});

/// FNV-1a, 64 bit: tells versions of our own files apart, nothing more.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3)
    })
}

/// The address of an embedded file.
pub fn href(name: &str) -> String {
    let at = FILES.iter().position(|f| f.0 == name);
    let hash = at.and_then(|i| HASHES.get(i)).map_or("", String::as_str);
    format!("/assets/{hash}.{name}")
}

/// `GET /assets/{hash}.{name}`; the name alone works too.
pub async fn serve(Path(asked): Path<String>) -> Response {
    let found = FILES
        .iter()
        .zip(HASHES.iter())
        .find(|((name, _, _), hash)| {
            asked == *name
                || asked
                    .strip_prefix(hash.as_str())
                    .is_some_and(|r| r.strip_prefix('.') == Some(name))
        });
    match found {
        None => (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
        Some(((name, kind, body), _)) => {
            let keep = if asked == *name {
                "no-cache"
            } else {
                "public, max-age=31536000, immutable"
            };
            (
                [(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, keep)],
                *body,
            )
                .into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_from_elsewhere() {
        for (name, _, body) in FILES {
            let body = body.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !body.contains("http://") && !body.contains("https://"),
                "{name}"
            );
            assert!(!body.contains("@import"), "{name}");
        }
        assert!(href("board.js").ends_with(".board.js"));
    }
}
