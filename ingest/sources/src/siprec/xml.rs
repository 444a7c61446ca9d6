//! As much of XML as recording metadata needs: elements and attributes by their local names, text,
//! the five entities and numeric ones, CDATA. No document types, no external anything.

use quick_xml::errors::{Error, IllFormedError};
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Deepest element.
const DEEPEST: usize = 32;

/// Most elements of a document.
const MOST: usize = 20_000;

/// An element.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// Local name, in lower case.
    pub name: String,
    /// Attributes by local name in lower case.
    pub attributes: Vec<(String, String)>,
    /// Text directly in it.
    pub text: String,
    /// Elements in it.
    pub children: Vec<Node>,
}

impl Node {
    /// The first of some attributes that is there.
    pub(super) fn attribute(&self, names: &[&str]) -> &str {
        let mut found = names.iter().filter_map(|name| {
            let of = self.attributes.iter().find(|(n, _)| n == name);
            of.map(|(_, v)| v.trim()).filter(|v| !v.is_empty())
        });
        found.next().unwrap_or("")
    }

    /// The elements of that name in it.
    pub(super) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Node> {
        self.children.iter().filter(move |c| c.name == name)
    }

    /// The text of the first element of that name, or empty.
    pub(super) fn child(&self, name: &str) -> &str {
        let found = self.children.iter().find(|c| c.name == name);
        found.map_or("", |c| c.text.trim())
    }
}

/// Reads a document; gives its outermost element, or what is wrong.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    // Names are compared by their local part, as everywhere here.
    config.check_end_names = false;
    config.allow_dangling_amp = true;
    let mut stack: Vec<Node> = vec![Node::default()];
    let mut count = 0;
    loop {
        let event = reader.read_event().map_err(|e| wrong(&e))?;
        match event {
            Event::Start(start) => {
                open(&mut stack, &mut count, &start)?;
            }
            Event::Empty(start) => {
                let name = open(&mut stack, &mut count, &start)?;
                close(&mut stack, &name)?;
            }
            Event::End(end) => close(&mut stack, &local(end.name().as_ref()))?,
            Event::Text(data) => say(&mut stack, &data.decode().map_err(|e| e.to_string())?),
            Event::CData(data) => say(&mut stack, &data.decode().map_err(|e| e.to_string())?),
            // An entity that is not one of the five stays as it is: nothing declares another.
            Event::GeneralRef(name) => {
                let name = name.decode().map_err(|e| e.to_string())?;
                say(&mut stack, &plain(&format!("&{name};")));
            }
            Event::DocType(_) => return Err("document types are not read".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let mut outermost = match (stack.pop(), stack.is_empty()) {
        (Some(document), true) => document.children,
        _ => return Err("an element is not closed".to_owned()),
    };
    match outermost.len() {
        0 => Err("there is no element".to_owned()),
        _ => Ok(outermost.swap_remove(0)),
    }
}

/// What is wrong with a document, in the words of this module where it has some.
fn wrong(error: &Error) -> String {
    match error {
        Error::IllFormed(IllFormedError::UnmatchedEndTag(name)) => {
            format!("</{name}> closes nothing")
        }
        Error::Syntax(error) => format!("an end is missing: {error}"),
        other => other.to_string(),
    }
}

/// Text that stands in the element that is open.
fn say(stack: &mut [Node], text: &str) {
    if let Some(top) = stack.last_mut() {
        top.text.push_str(text);
    }
}

/// Opens an element; gives its name.
fn open(
    stack: &mut Vec<Node>,
    count: &mut usize,
    start: &BytesStart<'_>,
) -> Result<String, String> {
    *count += 1;
    if *count > MOST || stack.len() > DEEPEST {
        return Err("more or deeper elements than metadata has".to_owned());
    }
    let name = local(start.name().as_ref());
    if name.is_empty() {
        return Err("an element without a name".to_owned());
    }
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|e| match e {
            AttrError::UnquotedValue(_) => "an attribute without quotes".to_owned(),
            other => other.to_string(),
        })?;
        let value = String::from_utf8_lossy(&attribute.value);
        attributes.push((local(attribute.key.as_ref()), plain(&value)));
    }
    stack.push(Node {
        name: name.clone(),
        attributes,
        ..Node::default()
    });
    Ok(name)
}

fn close(stack: &mut Vec<Node>, name: &str) -> Result<(), String> {
    let node = stack.pop().unwrap_or_default();
    if node.name != name {
        return Err(format!("</{name}> closes <{}>", node.name));
    }
    match stack.last_mut() {
        Some(parent) => {
            parent.children.push(node);
            Ok(())
        }
        None => Err("an end without a beginning".to_owned()),
    }
}

/// A name without its prefix, in lower case.
fn local(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name = name.trim();
    name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase()
}

/// Text with its entities undone; an unknown one stays as it is.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, then) = after.split_once(';').unwrap_or((after, ""));
        let numeric = |digits: &str, base| u32::from_str_radix(digits, base).ok();
        let found = match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
                (Some(hex), _) => numeric(hex, 16).and_then(char::from_u32),
                (None, Some(digits)) => numeric(digits, 10).and_then(char::from_u32),
                _ => None,
            },
        };
        match found {
            Some(c) => {
                out.push(c);
                rest = then;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_local_and_entities_undone() {
        let root = parse("<?xml version='1.0'?><a:r xmlns:a='x'><!-- c --><a:B Id=\"1 &amp; 2\"/>t&#65;&lt;<![CDATA[<>]]>&no;</a:r>").unwrap();
        assert_eq!((root.name.as_str(), root.text.as_str()), ("r", "tA<<>&no;"));
        assert_eq!(root.all("b").next().unwrap().attribute(&["id"]), "1 & 2");
        assert_eq!(root.child("none"), "");
    }

    #[test]
    fn broken_documents_say_what_is_wrong() {
        for (text, part) in [
            ("", "no element"),
            ("<a>", "not closed"),
            ("<a></b>", "closes"),
            ("</a>", "closes"),
            ("<a b=1/>", "quotes"),
            ("<!DOCTYPE a><a/>", "document types"),
            ("<a", "missing"),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.contains(part), "{text}: {wrong}");
        }
        let bomb = "<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>";
        assert!(parse(bomb).unwrap_err().contains("document types"));
        assert_eq!(parse("<a>&b; & c</a>").unwrap().text, "&b; & c");
        let many = format!("<a>{}</a>", "<b/>".repeat(MOST));
        assert!(parse(&many).unwrap_err().contains("more or deeper"));
        let deep = "<a>".repeat(100);
        assert!(parse(&deep).unwrap_err().contains("deeper"));
    }
}
