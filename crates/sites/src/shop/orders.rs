//! Products, baskets and orders. Inner results are the shop's own refusals.

use std::fmt;

use rusqlite::{Connection, params};

use crate::failure::Failure;
use crate::store::Member;

pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS basket (
  sub TEXT NOT NULL,
  product TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (sub, product)
) STRICT;
CREATE TABLE IF NOT EXISTS placed_order (
  number INTEGER PRIMARY KEY,
  sub TEXT NOT NULL,
  what TEXT NOT NULL,         -- the lines as they were shown
  total INTEGER NOT NULL,     -- cents
  day TEXT NOT NULL           -- no finer: nobody needs it
) STRICT;
";

/// Most of one product in a basket.
const COUNT_MAX: u32 = 9;

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cents(u32);

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} €", self.0 / 100, self.0 % 100)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) price: Cents,
}

pub(crate) static PRODUCTS: [Product; 3] = [
    Product {
        id: "tea",
        name: "Green tea, 250 g",
        price: Cents(890),
    },
    Product {
        id: "cup",
        name: "Cup with a lid",
        price: Cents(1250),
    },
    Product {
        id: "kettle",
        name: "Iron kettle",
        price: Cents(4900),
    },
];

impl Product {
    pub(crate) fn find(id: &str) -> Option<&'static Product> {
        PRODUCTS.iter().find(|product| product.id == id)
    }
}

pub(crate) struct Line {
    pub(crate) product: &'static Product,
    pub(crate) count: u32,
    pub(crate) price: Cents,
}

pub(crate) struct Basket {
    pub(crate) lines: Vec<Line>,
    pub(crate) total: Cents,
}

pub(crate) struct Order {
    pub(crate) number: i64,
    pub(crate) what: String,
    pub(crate) total: Cents,
    pub(crate) day: String,
}

pub(crate) fn basket(store: &Connection, member: &Member) -> rusqlite::Result<Basket> {
    let mut query =
        store.prepare("SELECT product, count FROM basket WHERE sub = ?1 ORDER BY product")?;
    let rows = query.query_map([&member.0], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?))
    })?;
    let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
    // A product that is no longer sold falls out.
    let lines: Vec<Line> = rows
        .iter()
        .filter_map(|(id, count)| {
            let product = Product::find(id)?;
            let price = Cents(product.price.0 * count);
            Some(Line {
                product,
                count: *count,
                price,
            })
        })
        .collect();
    let total = Cents(lines.iter().map(|line| line.price.0).sum());
    Ok(Basket { lines, total })
}

pub(crate) fn add(
    store: &Connection,
    member: &Member,
    product: &Product,
) -> rusqlite::Result<Result<(), Failure>> {
    let changed = store.execute(
        "INSERT INTO basket (sub, product, count) VALUES (?1, ?2, 1)
         ON CONFLICT (sub, product) DO UPDATE SET count = count + 1 WHERE count < ?3",
        params![member.0, product.id, COUNT_MAX],
    )?;
    Ok(match changed {
        0 => Err(Failure::BadForm("A basket takes at most 9 of one product.")),
        _ => Ok(()),
    })
}

pub(crate) fn remove(
    store: &Connection,
    member: &Member,
    product: &Product,
) -> rusqlite::Result<()> {
    store.execute(
        "DELETE FROM basket WHERE sub = ?1 AND product = ?2",
        [&member.0, product.id],
    )?;
    Ok(())
}

/// Turns the basket into an order.
pub(crate) fn place(
    store: &mut Connection,
    member: &Member,
    now: i64,
) -> rusqlite::Result<Result<(), Failure>> {
    let change = store.transaction()?;
    let basket = basket(&change, member)?;
    if basket.lines.is_empty() {
        return Ok(Err(Failure::BadForm("The basket is empty.")));
    }
    let lines = basket.lines.iter();
    let lines = lines.map(|line| format!("{} × {}", line.count, line.product.name));
    let what = lines.collect::<Vec<_>>().join("; ");
    change.execute(
        "INSERT INTO placed_order (sub, what, total, day)
         VALUES (?1, ?2, ?3, date(?4, 'unixepoch'))",
        params![member.0, what, basket.total.0, now],
    )?;
    change.execute("DELETE FROM basket WHERE sub = ?1", [&member.0])?;
    change.commit().map(Ok)
}

pub(crate) fn orders(store: &Connection, member: &Member) -> rusqlite::Result<Vec<Order>> {
    let mut query = store.prepare(
        "SELECT number, what, total, day FROM placed_order WHERE sub = ?1 ORDER BY number DESC",
    )?;
    let orders = query.query_map([&member.0], |row| {
        Ok(Order {
            number: row.get(0)?,
            what: row.get(1)?,
            total: Cents(row.get(2)?),
            day: row.get(3)?,
        })
    })?;
    orders.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::in_memory;

    const NOW: i64 = 1_800_000_000;

    fn ann() -> Member {
        Member("ann".to_owned())
    }

    fn product(id: &str) -> &'static Product {
        Product::find(id).unwrap()
    }

    #[test]
    fn an_order_takes_what_is_in_the_basket_and_empties_it() {
        let mut store = in_memory(SCHEMA);
        for id in ["tea", "cup", "tea"] {
            add(&store, &ann(), product(id)).unwrap().unwrap();
        }
        assert_eq!(basket(&store, &ann()).unwrap().total, Cents(3030));
        place(&mut store, &ann(), NOW).unwrap().unwrap();
        assert!(basket(&store, &ann()).unwrap().lines.is_empty());
        let orders = orders(&store, &ann()).unwrap();
        assert_eq!(orders[0].what, "1 × Cup with a lid; 2 × Green tea, 250 g");
        assert_eq!(orders[0].total.to_string(), "30.30 €");
    }

    #[test]
    fn an_empty_basket_and_a_tenth_piece_are_refused() {
        let mut store = in_memory(SCHEMA);
        let empty = place(&mut store, &ann(), NOW).unwrap();
        assert!(matches!(empty, Err(Failure::BadForm(_))));
        for _ in 0..COUNT_MAX {
            add(&store, &ann(), product("tea")).unwrap().unwrap();
        }
        let tenth = add(&store, &ann(), product("tea")).unwrap();
        assert!(matches!(tenth, Err(Failure::BadForm(_))));
        remove(&store, &ann(), product("tea")).unwrap();
        assert!(basket(&store, &ann()).unwrap().lines.is_empty());
    }

    #[test]
    fn members_see_their_own_basket_and_orders_alone() {
        let mut store = in_memory(SCHEMA);
        let ben = Member("ben".to_owned());
        add(&store, &ann(), product("cup")).unwrap().unwrap();
        assert!(basket(&store, &ben).unwrap().lines.is_empty());
        let nothing = place(&mut store, &ben, NOW).unwrap();
        assert!(nothing.is_err());
        place(&mut store, &ann(), NOW).unwrap().unwrap();
        assert!(orders(&store, &ben).unwrap().is_empty());
        assert!(Product::find("gold").is_none());
    }
}
