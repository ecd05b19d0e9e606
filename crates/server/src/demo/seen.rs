//! What a party has stored, row by row, read from its own files.

use std::path::Path;

use anyhow::Context;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// Longest text or blob that is shown, in characters.
const SHOWN_MAX: usize = 32;

/// Every row of every table in an SQLite file, one line a row.
pub(super) fn rows(file: &Path) -> anyhow::Result<Vec<String>> {
    let open = || -> rusqlite::Result<Vec<String>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        let names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
        let mut tables = connection.prepare(names)?;
        let tables: Vec<String> = tables
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut lines = Vec::new();
        for table in tables {
            lines.extend(table_rows(&connection, &table)?);
        }
        Ok(lines)
    };
    open().with_context(|| format!("cannot read {}", file.display()))
}

fn table_rows(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    // The name comes from the file itself; quoting keeps any name a name.
    let quoted = table.replace('"', "\"\"");
    let mut statement = connection.prepare(&format!("SELECT * FROM \"{quoted}\""))?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let mut line = format!("{table}:");
        for (i, column) in columns.iter().enumerate() {
            line.push_str(&format!(" {column}={}", shown(row.get_ref(i)?)));
        }
        Ok(line)
    })?;
    rows.collect()
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "-".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => short(&String::from_utf8_lossy(text)),
        ValueRef::Blob(blob) => match std::str::from_utf8(blob) {
            Ok(text) if text.chars().all(|c| c.is_ascii_graphic()) && !text.is_empty() => {
                short(text)
            }
            Ok(_) | Err(_) => short(&blob.iter().map(|b| format!("{b:02x}")).collect::<String>()),
        },
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    text.chars().take(SHOWN_MAX).chain(['…']).collect()
}
