//! The forum's tables. Inner results are the forum's own refusals.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;

use crate::failure::Failure;
use crate::store::Member;

pub(crate) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS member (
  sub TEXT PRIMARY KEY,
  name TEXT UNIQUE,           -- NULL before one is chosen
  banned INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS post (
  number INTEGER PRIMARY KEY,
  sub TEXT NOT NULL REFERENCES member,
  text TEXT NOT NULL,
  day TEXT NOT NULL           -- no finer: nobody needs it
) STRICT;
";

/// Posts on the front page.
const NEWEST: i64 = 100;

/// What somebody may do here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not logged in.
    Visitor,
    /// A member who has not chosen a name.
    Nameless,
    /// A member of this name.
    Named(String),
    /// A member who may do nothing.
    Banned,
}

pub(crate) struct Post {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) day: String,
    pub(crate) text: String,
}

pub(crate) struct NewPost {
    pub(crate) member: Member,
    pub(crate) text: String,
    pub(crate) now: i64,
}

/// What a moderator decides about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    Ban,
    Lift,
}

pub(crate) fn standing(store: &Connection, member: Option<&Member>) -> rusqlite::Result<Standing> {
    let Some(member) = member else {
        return Ok(Standing::Visitor);
    };
    let row: Option<(Option<String>, bool)> = store
        .query_row(
            "SELECT name, banned FROM member WHERE sub = ?1",
            [&member.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(match row {
        Some((_, true)) => Standing::Banned,
        Some((Some(name), false)) => Standing::Named(name),
        Some((None, false)) | None => Standing::Nameless,
    })
}

pub(crate) fn newest(store: &Connection) -> rusqlite::Result<Vec<Post>> {
    let mut query = store.prepare(
        "SELECT number, name, day, text FROM post JOIN member USING (sub)
         ORDER BY number DESC LIMIT ?1",
    )?;
    let posts = query.query_map([NEWEST], |row| {
        Ok(Post {
            number: row.get(0)?,
            name: row.get(1)?,
            day: row.get(2)?,
            text: row.get(3)?,
        })
    })?;
    posts.collect()
}

pub(crate) fn choose_name(
    store: &mut Connection,
    member: &Member,
    name: &str,
) -> rusqlite::Result<Result<(), Failure>> {
    let change = store.transaction()?;
    if standing(&change, Some(member))? == Standing::Banned {
        return Ok(Err(Failure::Banned));
    }
    let written = change.execute(
        "INSERT INTO member (sub, name) VALUES (?1, ?2)
         ON CONFLICT (sub) DO UPDATE SET name = excluded.name",
        [&member.0, name],
    );
    match written {
        Ok(_) => change.commit().map(Ok),
        Err(error) if is_taken(&error) => Ok(Err(Failure::BadForm("Somebody else has this name."))),
        Err(error) => Err(error),
    }
}

fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}

pub(crate) fn write(
    store: &mut Connection,
    post: &NewPost,
) -> rusqlite::Result<Result<(), Failure>> {
    let change = store.transaction()?;
    match standing(&change, Some(&post.member))? {
        Standing::Banned => return Ok(Err(Failure::Banned)),
        Standing::Visitor | Standing::Nameless => {
            return Ok(Err(Failure::BadForm("Choose a name first.")));
        }
        Standing::Named(_) => {}
    }
    change.execute(
        "INSERT INTO post (sub, text, day) VALUES (?1, ?2, date(?3, 'unixepoch'))",
        params![post.member.0, post.text, post.now],
    )?;
    change.commit().map(Ok)
}

/// Decides about whoever wrote the post of this number.
pub(crate) fn decide(
    store: &Connection,
    post: i64,
    decision: Decision,
) -> rusqlite::Result<Result<(), Failure>> {
    let changed = store.execute(
        "UPDATE member SET banned = ?2 WHERE sub = (SELECT sub FROM post WHERE number = ?1)",
        params![post, decision == Decision::Ban],
    )?;
    Ok(match changed {
        0 => Err(Failure::NothingHere),
        _ => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::in_memory;

    fn member(sub: &str) -> Member {
        Member(sub.to_owned())
    }

    fn post(sub: &str) -> NewPost {
        NewPost {
            member: member(sub),
            text: "hello".to_owned(),
            now: 1_800_000_000,
        }
    }

    #[test]
    fn a_post_needs_a_name_and_carries_it() {
        let mut store = in_memory(SCHEMA);
        let refused = write(&mut store, &post("a")).unwrap();
        assert!(matches!(refused, Err(Failure::BadForm(_))));
        choose_name(&mut store, &member("a"), "Ann")
            .unwrap()
            .unwrap();
        write(&mut store, &post("a")).unwrap().unwrap();
        let posts = newest(&store).unwrap();
        assert_eq!(posts.len(), 1);
        assert_eq!(
            (posts[0].name.as_str(), posts[0].day.as_str()),
            ("Ann", "2027-01-15")
        );
    }

    #[test]
    fn a_name_belongs_to_one_member() {
        let mut store = in_memory(SCHEMA);
        choose_name(&mut store, &member("a"), "Ann")
            .unwrap()
            .unwrap();
        let taken = choose_name(&mut store, &member("b"), "Ann").unwrap();
        assert!(matches!(taken, Err(Failure::BadForm(_))));
        assert_eq!(
            standing(&store, Some(&member("b"))).unwrap(),
            Standing::Nameless
        );
        choose_name(&mut store, &member("a"), "Anna")
            .unwrap()
            .unwrap();
        choose_name(&mut store, &member("b"), "Ann")
            .unwrap()
            .unwrap();
    }

    #[test]
    fn a_banned_member_can_do_nothing_until_the_ban_is_lifted() {
        let mut store = in_memory(SCHEMA);
        choose_name(&mut store, &member("a"), "Ann")
            .unwrap()
            .unwrap();
        choose_name(&mut store, &member("b"), "Ben")
            .unwrap()
            .unwrap();
        write(&mut store, &post("a")).unwrap().unwrap();
        decide(&store, 1, Decision::Ban).unwrap().unwrap();
        assert_eq!(
            standing(&store, Some(&member("a"))).unwrap(),
            Standing::Banned
        );
        assert_eq!(write(&mut store, &post("a")).unwrap(), Err(Failure::Banned));
        let renamed = choose_name(&mut store, &member("a"), "Zoe").unwrap();
        assert_eq!(renamed, Err(Failure::Banned));
        write(&mut store, &post("b")).unwrap().unwrap();
        decide(&store, 1, Decision::Lift).unwrap().unwrap();
        write(&mut store, &post("a")).unwrap().unwrap();
    }

    #[test]
    fn a_decision_about_a_post_that_does_not_exist_is_refused() {
        let store = in_memory(SCHEMA);
        let refused = decide(&store, 7, Decision::Ban).unwrap();
        assert_eq!(refused, Err(Failure::NothingHere));
    }
}
