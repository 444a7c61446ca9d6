//! One record of comma-separated values, as Asterisk writes them: fields bare or in double
//! quotes, a quote inside doubled.

use std::borrow::Cow;

/// Splits one record into its fields; `None` when a quote is left open or text follows one.
pub fn fields(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut out = Vec::with_capacity(24);
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, after) = quoted_field(quoted)?;
            out.push(field);
            match after.strip_prefix(',') {
                Some(next) => rest = next,
                None if after.is_empty() => return Some(out),
                None => return None,
            }
        } else {
            match rest.split_once(',') {
                Some((field, next)) => {
                    out.push(Cow::Borrowed(field));
                    rest = next;
                }
                None => {
                    out.push(Cow::Borrowed(rest));
                    return Some(out);
                }
            }
        }
    }
}

/// The field up to its closing quote, and what follows it.
fn quoted_field(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut owned: Option<String> = None;
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        let (piece, after) = (&rest[..end], &rest[end + 1..]);
        if let Some(next) = after.strip_prefix('"') {
            let field = owned.get_or_insert_with(String::new);
            field.push_str(piece);
            field.push('"');
            rest = next;
        } else {
            let field = match owned {
                Some(mut field) => {
                    field.push_str(piece);
                    Cow::Owned(field)
                }
                None => Cow::Borrowed(piece),
            };
            return Some((field, after));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn quotes_commas_and_empty_ends() {
        assert_eq!(
            fields(r#""a","b,""c""",,7,"#).unwrap(),
            ["a", "b,\"c\"", "", "7", ""]
        );
        assert_eq!(fields("").unwrap(), [""]);
        assert!(fields("\"open").is_none());
        assert!(fields("\"a\"b,c").is_none());
    }
}
