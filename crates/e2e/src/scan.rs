//! Searching what a process leaves behind for what was planted before it.
//!
//! A [`Scanner`] looks for texts in many forms at once, see [`Form`]. Whatever is compressed by
//! gzip is opened and searched as well. It cannot see what is encrypted or hashed with a secret,
//! which is the point: such data is of no use to a thief. It does not look for a birth date as a
//! day number: two bytes occur everywhere.

mod core_dump;
mod forms;

use std::io::Read;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use anyhow::Context;
use flate2::bufread::MultiGzDecoder;
use memchr::memmem;

pub use core_dump::dump_core;
pub use forms::{Form, birth_date_spellings};

/// What begins a gzip member with the only method there is. Source: RFC 1952 §2.3.1.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b, 0x08];
/// How much of one compressed stream is looked at, in bytes.
const OPENED_MAX: u64 = 16 << 20;

/// One find.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Find {
    /// Where: a file, or the name given to the bytes.
    pub place: PathBuf,
    /// Which of the needles, as given.
    pub needle: String,
    /// In which form.
    pub form: Form,
    /// Whether it was inside compressed data.
    pub compressed: Compressed,
}

/// Whether a find was inside compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compressed {
    /// As it stands.
    No,
    /// After decompression.
    Gzip,
}

/// A search for a set of texts in all their forms.
pub struct Scanner {
    automaton: AhoCorasick,
    /// For each pattern of the automaton: the needle and the form.
    patterns: Vec<(String, Form)>,
}

impl Scanner {
    /// A scanner for these texts.
    ///
    /// # Errors
    ///
    /// When a text is shorter than 6 bytes: it would be found by chance.
    pub fn new(needles: &[&str]) -> anyhow::Result<Scanner> {
        let (mut octets, mut patterns) = (Vec::new(), Vec::new());
        for needle in needles {
            for (form, pattern) in forms::all(needle)? {
                octets.push(pattern);
                patterns.push(((*needle).to_owned(), form));
            }
        }
        let automaton = AhoCorasick::new(&octets).context("too many forms")?;
        Ok(Scanner {
            automaton,
            patterns,
        })
    }

    /// Everything found in `octets`, once for each needle and form.
    #[must_use]
    pub fn search(&self, place: &Path, octets: &[u8]) -> Vec<Find> {
        let mut finds = self.search_plain(place, octets, Compressed::No);
        for at in memmem::find_iter(octets, GZIP_MAGIC) {
            let opened = open_gzip(octets.get(at..).unwrap_or_default());
            finds.extend(self.search_plain(place, &opened, Compressed::Gzip));
        }
        finds.sort();
        finds.dedup();
        finds
    }

    /// Everything found in a file, or in all files of a folder and its folders.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or there is no file at all.
    pub fn search_path(&self, path: &Path) -> anyhow::Result<Vec<Find>> {
        let mut files = Vec::new();
        list_files(path, &mut files)?;
        if files.is_empty() {
            anyhow::bail!("{} holds no file", path.display());
        }
        let mut finds = Vec::new();
        for file in files {
            let octets =
                std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            // A name of a file tells as much as its content.
            finds.extend(self.search(&file, file.as_os_str().as_encoded_bytes()));
            finds.extend(self.search(&file, &octets));
        }
        Ok(finds)
    }

    fn search_plain(&self, place: &Path, octets: &[u8], compressed: Compressed) -> Vec<Find> {
        let mut seen = vec![false; self.patterns.len()];
        for found in self.automaton.find_overlapping_iter(octets) {
            if let Some(seen) = seen.get_mut(found.pattern().as_usize()) {
                *seen = true;
            }
        }
        let found = self.patterns.iter().zip(seen).filter(|(_, seen)| *seen);
        found
            .map(|((needle, form), _)| Find {
                place: place.to_owned(),
                needle: needle.clone(),
                form: *form,
                compressed,
            })
            .collect()
    }
}

/// Everything that can be decompressed from here on; empty where it is no gzip after all.
fn open_gzip(octets: &[u8]) -> Vec<u8> {
    let mut opened = Vec::new();
    // In a core dump the rest of a stream may be missing: what came before the error is kept.
    let _broken_off = MultiGzDecoder::new(octets)
        .take(OPENED_MAX)
        .read_to_end(&mut opened);
    opened
}

fn list_files(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let kind = path
        .symlink_metadata()
        .with_context(|| format!("cannot look at {}", path.display()))?;
    if kind.is_dir() {
        for entry in std::fs::read_dir(path)? {
            list_files(&entry?.path(), files)?;
        }
    } else if kind.is_file() {
        files.push(path.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
