//! Records as lines of text.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::arguments::Format;
use crate::failure::Result;
use crate::tsv;

/// A line of JSON, with either form of key and value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    key: Option<String>,
    key_base64: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'a RawValue>,
    value_base64: Option<String>,
}

/// A `null` is a value too, and not the absence of one.
fn present<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The key and the value of a line.
pub(crate) fn parse(line: &[u8], format: Format) -> Result<(Vec<u8>, Vec<u8>)> {
    match format {
        Format::Jsonl => parse_json(line),
        Format::Tsv => tsv::parse(line),
    }
}

fn parse_json(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| in_one_line(&error))?;
    let key = match (line.key, line.key_base64) {
        (Some(key), None) => key.into_bytes(),
        (None, Some(key)) => from_base64(&key)?,
        _ => return Err("a record has one of `key` and `key_base64`".into()),
    };
    let value = match (line.value, line.value_base64) {
        (Some(value), None) => value_bytes(value.get())?,
        (None, Some(value)) => from_base64(&value)?,
        _ => return Err("a record has one of `value` and `value_base64`".into()),
    };
    Ok((key, value))
}

/// The place of an error without the number of its line, which is always 1 and not that of the file.
fn in_one_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// The text of a JSON string, or other JSON as its text.
fn value_bytes(json: &str) -> Result<Vec<u8>> {
    if json.starts_with('"') {
        return Ok(serde_json::from_str::<String>(json)?.into_bytes());
    }
    Ok(compact(json.as_bytes()))
}

/// Valid JSON without the spaces between its parts. Parsing it instead would change numbers and the order of fields.
fn compact(json: &[u8]) -> Vec<u8> {
    let mut in_string = false;
    let mut escaped = false;
    let mut kept = Vec::with_capacity(json.len());
    for byte in json {
        if !in_string && byte.is_ascii_whitespace() {
            continue;
        }
        in_string ^= *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        kept.push(*byte);
    }
    kept
}

/// The line of a record, without its end.
pub(crate) fn format(key: &[u8], value: &[u8], format: Format) -> Vec<u8> {
    match format {
        Format::Jsonl => format_json(key, value).into_bytes(),
        Format::Tsv => tsv::format(key, value),
    }
}

fn format_json(key: &[u8], value: &[u8]) -> String {
    let (key_field, key) = field("key", "key_base64", key);
    let (value_field, value) = field("value", "value_base64", value);
    format!("{{\"{key_field}\":{key},\"{value_field}\":{value}}}")
}

fn field<'a>(text_name: &'a str, base64_name: &'a str, bytes: &[u8]) -> (&'a str, Value) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text_name, json!(text)),
        Err(_) => (base64_name, json!(BASE64_STANDARD.encode(bytes))),
    }
}

pub(crate) fn from_base64(text: &str) -> Result<Vec<u8>> {
    BASE64_STANDARD.decode(text).map_err(|error| format!("`{text}` is not base64: {error}").into())
}

/// A key or value given as an argument.
pub(crate) fn argument(text: &str, is_base64: bool) -> Result<Vec<u8>> {
    if is_base64 { from_base64(text) } else { Ok(text.as_bytes().to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Vec<u8> {
        parse(line.as_bytes(), Format::Jsonl).unwrap().1
    }

    #[test]
    fn json_values_keep_their_text() {
        assert_eq!(value(r#"{"key":"k","value":"a\nb"}"#), b"a\nb");
        assert_eq!(
            value(r#"{"key":"k","value": {"z": 1.50, "a \\\" b": [null, 1e400]}}"#),
            br#"{"z":1.50,"a \\\" b":[null,1e400]}"#
        );
        assert_eq!(value(r#"{"key":"k","value":null}"#), b"null");
        assert_eq!(value(r#"{"key":"k","value_base64":"/w=="}"#), [0xff]);
    }

    #[test]
    fn lines_that_are_no_records_are_refused() {
        for line in
            [r#"{"key":"k"}"#, r#"{"value":1}"#, r#"{"key":1,"value":1}"#, r#"{"key":"k","value":1,"x":1}"#, "[]"]
        {
            assert!(parse(line.as_bytes(), Format::Jsonl).is_err(), "{line}");
        }
    }

    #[test]
    fn what_is_formatted_is_parsed_back() {
        for bytes in [&b"text \"quoted\" \\ \t\r\n"[..], b"", b"\xff\x00\t\\", "\u{fc}\u{0}".as_bytes()] {
            for wanted in [Format::Jsonl, Format::Tsv] {
                let line = format(bytes, bytes, wanted);
                assert!(!line.contains(&b'\n'));
                assert_eq!(parse(&line, wanted).unwrap(), (bytes.to_vec(), bytes.to_vec()));
            }
        }
    }
}
