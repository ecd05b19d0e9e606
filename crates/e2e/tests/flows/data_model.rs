//! docs/data-model.md names every column of every table that any party stores, in its order.

use std::collections::BTreeMap;
use std::path::Path;

use e2e::world::World;
use rusqlite::{Connection, OpenFlags};
use server::demo::deployment::Party;

/// Columns by `FILE: table TABLE`.
type Tables = BTreeMap<String, Vec<String>>;

#[test]
fn every_stored_column_is_documented() {
    let mut world = World::running().unwrap();
    world.start(Party::Forum).unwrap();
    world.start(Party::Shop).unwrap();
    let mut stored = Tables::new();
    for party in Party::ALL {
        let folder = world.deployment().folder_of(party);
        add_folder(&mut stored, &folder);
        add_folder(&mut stored, &folder.join("state"));
    }
    let text = include_str!("../../../../docs/data-model.md");
    assert_eq!(stored, documented(text));
}

fn add_folder(stored: &mut Tables, folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "sqlite")
        {
            add_file(stored, &path);
        }
    }
}

fn add_file(stored: &mut Tables, path: &Path) {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let columns = "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
                   WHERE t.type = 'table' ORDER BY t.name, c.cid";
    let mut query = database.prepare(columns).unwrap();
    let mut rows = query.query([]).unwrap();
    let file = path.file_name().unwrap().to_str().unwrap();
    let mut tables = Tables::new();
    while let Some(row) = rows.next().unwrap() {
        let (table, column): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let name = format!("{file}: table {table}");
        tables.entry(name).or_default().push(column);
    }
    stored.append(&mut tables);
}

fn documented(text: &str) -> Tables {
    let mut tables = Tables::new();
    let mut current = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            current = heading.contains(": table ").then_some(heading);
        }
        let column = line
            .strip_prefix("| `")
            .and_then(|rest| rest.split_once('`'));
        if let (Some(table), Some((column, _))) = (current, column) {
            let columns = tables.entry(table.to_owned()).or_default();
            columns.push(column.to_owned());
        }
    }
    tables
}
