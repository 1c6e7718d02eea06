//! Records as a key, a tab and a value, with escapes for what would not stay apart.

use crate::failure::Result;

pub(crate) fn parse(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut fields = line.split(|byte| *byte == b'\t');
    match (fields.next(), fields.next(), fields.next()) {
        (Some(key), Some(value), None) => Ok((unescape(key)?, unescape(value)?)),
        (_, None, _) => Err("there is no tab between a key and a value".into()),
        _ => Err("there is more than one tab; one within a value is written `\\t`".into()),
    }
}

pub(crate) fn format(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(key.len() + value.len() + 1);
    escape(key, &mut line);
    line.push(b'\t');
    escape(value, &mut line);
    line
}

/// Appends text with escapes. Bytes that are no UTF-8 are escaped too, so that every line is text.
pub(crate) fn escape(bytes: &[u8], line: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        for byte in chunk.valid().bytes() {
            match byte {
                b'\t' => line.extend_from_slice(b"\\t"),
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                b'\\' => line.extend_from_slice(b"\\\\"),
                byte => line.push(byte),
            }
        }
        for byte in chunk.invalid() {
            line.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        }
    }
}

fn unescape(field: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b'\\') => b'\\',
            Some(b'x') => hexadecimal(rest.next(), rest.next())?,
            _ => return Err("a `\\` is not followed by `t`, `n`, `r`, `x` or `\\`".into()),
        });
    }
    Ok(bytes)
}

fn hexadecimal(high: Option<u8>, low: Option<u8>) -> Result<u8> {
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    match (digit(high), digit(low)) {
        (Some(high), Some(low)) => Ok((high * 16 + low) as u8),
        _ => Err("a `\\x` is not followed by two hexadecimal digits".into()),
    }
}
