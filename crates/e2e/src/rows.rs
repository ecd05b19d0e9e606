//! Everything that stands in an SQLite database, whatever its tables are.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Its table.
    pub table: String,
    /// Its columns, in order, with their content.
    pub columns: Vec<(String, Content)>,
}

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// Nothing.
    Null,
    /// A number.
    Integer(i64),
    /// A text or octets.
    Octets(Vec<u8>),
}

/// Reads every row of every table, in order of table and content.
///
/// # Errors
///
/// When the database cannot be read.
pub fn read(path: &Path) -> anyhow::Result<Vec<Row>> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut query = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let tables = query.query_map([], |row| row.get::<_, String>(0))?;
    let mut all = Vec::new();
    for table in tables {
        read_table(&database, &table?, &mut all)?;
    }
    all.sort();
    Ok(all)
}

fn read_table(database: &Connection, table: &str, all: &mut Vec<Row>) -> anyhow::Result<()> {
    // A table's name cannot be a parameter; it comes from the schema itself.
    let mut query = database.prepare(&format!("SELECT * FROM \"{table}\""))?;
    let names: Vec<String> = query.column_names().map(str::to_owned).collect();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let mut columns = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let content = match row.get_ref(at)? {
                ValueRef::Null => Content::Null,
                ValueRef::Integer(number) => Content::Integer(number),
                ValueRef::Real(number) => Content::Octets(number.to_string().into_bytes()),
                ValueRef::Text(octets) | ValueRef::Blob(octets) => Content::Octets(octets.to_vec()),
            };
            columns.push((name.clone(), content));
        }
        all.push(Row {
            table: table.to_owned(),
            columns,
        });
    }
    Ok(())
}
