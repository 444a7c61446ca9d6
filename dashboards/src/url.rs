//! The state of a page is its URL: parameters read with bounds, changed, and written back in a
//! fixed order, so that equal views have equal addresses.

use url::form_urlencoded;

/// Most parameters of one address.
const MOST: usize = 100;
/// Longest value of a parameter, bytes.
const LONGEST: usize = 500;

/// The parameters of an address, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string. Parameters without a value are dropped, as a form sends them for
    /// every field left empty.
    ///
    /// # Errors
    /// A sentence that says which parameter is out of bounds.
    pub fn parse(query: &str) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if value.is_empty() {
                continue;
            }
            if pairs.len() == MOST {
                return Err(format!("The address has more than {MOST} parameters."));
            }
            if name.len() > 80 || value.len() > LONGEST {
                return Err(format!(
                    "The parameter {:?} is longer than {LONGEST} bytes.",
                    name.chars().take(40).collect::<String>()
                ));
            }
            if value.chars().any(char::is_control) || name.chars().any(char::is_control) {
                return Err(format!("The parameter {name:?} holds a control character."));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        pairs.sort();
        pairs.dedup();
        Ok(Params(pairs))
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// All values of a parameter.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, v)| v.clone())
            .collect()
    }

    /// Parameters whose name starts with `prefix`, the prefix cut off.
    pub fn under(&self, prefix: &str) -> Vec<(String, String)> {
        self.0
            .iter()
            .filter_map(|(n, v)| Some((n.strip_prefix(prefix)?.to_owned(), v.clone())))
            .collect()
    }

    /// The same with this parameter set to this one value; an empty value removes it.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut next = self.without(name);
        if !value.is_empty() {
            next.0.push((name.to_owned(), value.to_owned()));
            next.0.sort();
        }
        next
    }

    /// The same without this parameter.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        Params(self.0.iter().filter(|(n, _)| n != name).cloned().collect())
    }

    /// The same with only the parameters that `keep` accepts.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Params(self.0.iter().filter(|(n, _)| keep(n)).cloned().collect())
    }

    /// The address of `path` with these parameters.
    pub fn href(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let mut out = form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(&self.0);
        format!("{path}?{}", out.finish())
    }
}

/// A text as one segment of a path.
pub fn segment(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEEP: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    utf8_percent_encode(text, KEEP).to_string()
}

/// The address of a contact's page.
pub fn contact(id: &str) -> String {
    format!("/contacts/{}", segment(id))
}

/// The address of a journey's page.
pub fn journey(id: &str) -> String {
    format!("/journeys/{}", segment(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_views_have_equal_addresses() {
        let a = Params::parse("to=2026-01-02&from=2026-01-01&queue=").unwrap();
        let b = Params::parse("from=2026-01-01&to=2026-01-02").unwrap();
        assert_eq!(a.href("/r"), b.href("/r"));
        assert_eq!(a.with("from", "").href("/r"), "/r?to=2026-01-02");
        assert_eq!(a.with("q", "Zoë & co").get("q"), Some("Zoë & co"));
    }

    #[test]
    fn bounds_are_kept() {
        assert!(Params::parse(&format!("a={}", "x".repeat(501))).is_err());
        let many: String = (0..101).map(|i| format!("p{i}=1&")).collect();
        assert!(Params::parse(&many).is_err());
        assert!(Params::parse("a=%00").is_err());
    }
}
