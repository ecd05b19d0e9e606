//! The files of a document, from a folder or from its chip.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Read};
use std::path::Path;

use mrtd::{AccessKey, ChipReader, File, ReadError, SecurityObject};
use rand_core::UnwrapErr;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::files;
use crate::reader::Reader;

/// The files of a document as they were read, wiped when dropped.
pub(crate) struct DocumentFiles {
    /// Data groups by number, 1 to 16.
    pub(crate) groups: BTreeMap<u8, Zeroizing<Vec<u8>>>,
    /// EF.SOD.
    pub(crate) sod: Zeroizing<Vec<u8>>,
}

impl DocumentFiles {
    /// Reads EF.SOD and all EF.DG… of a folder.
    ///
    /// # Errors
    ///
    /// `file-unreadable`.
    pub(crate) fn of_folder(folder: &Path) -> Result<DocumentFiles, Failure> {
        let mut groups = BTreeMap::new();
        for number in 1..=16 {
            let path = folder.join(format!("EF.DG{number}"));
            if number <= 2 || path.exists() {
                groups.insert(number, Zeroizing::new(files::read(&path)?));
            }
        }
        let sod = Zeroizing::new(files::read(&folder.join("EF.SOD"))?);
        Ok(DocumentFiles { groups, sod })
    }

    /// Reads EF.SOD from a chip, and those of the groups `wanted` that it has hashes of; says which
    /// file it is at.
    ///
    /// # Errors
    ///
    /// As [`read_failure`].
    pub(crate) fn of_chip(
        chip: &mut ChipReader<'_>,
        wanted: &[u8],
        progress: &mut dyn FnMut(&str),
    ) -> Result<DocumentFiles, Failure> {
        progress("Reading the security object …");
        let mut read = |file| {
            chip.read(file, &mut |_, _| {})
                .map_err(|error| read_failure(&error))
        };
        let sod = read(File::Sod)?
            .ok_or_else(|| Failure::of("document-unusable", "the chip has no security object"))?;
        let listed: Vec<u8> = SecurityObject::parse(&sod)
            .map(|object| object.data_groups().collect())
            .unwrap_or_default();
        let mut groups = BTreeMap::new();
        for number in wanted.iter().filter(|number| listed.contains(number)) {
            progress(&format!("Reading {} …", group_name(*number)));
            if let Some(file) = read(File::Group(*number))? {
                groups.insert(*number, file);
            }
        }
        Ok(DocumentFiles { groups, sod })
    }

    /// A data group.
    ///
    /// # Errors
    ///
    /// `document-unusable` where the document does not have it.
    pub(crate) fn group(&self, number: u8) -> Result<&[u8], Failure> {
        let file = self.groups.get(&number).map(|file| file.as_slice());
        let what = || format!("the document has no data group {number}");
        file.ok_or_else(|| Failure::of("document-unusable", what()))
    }
}

/// What it means that EF.CardAccess is not what is signed.
pub(crate) const NOT_THE_SIGNED_ONE: &str =
    "somebody is between reader and chip, or the document was made wrongly";

/// What a data group holds, for people.
pub(crate) fn group_name(number: u8) -> String {
    let name = match number {
        1 => "the machine-readable zone",
        2 => "the portrait",
        7 => "the signature",
        11 => "personal details",
        12 => "document details",
        14 => "the chip's protocols",
        15 => "the chip's key",
        other => return format!("data group {other}"),
    };
    name.to_owned()
}

/// Opens the chip on a reader.
///
/// # Errors
///
/// As [`read_failure`].
pub(crate) fn open_chip<'r>(
    reader: &'r mut Reader,
    access: &AccessKey,
) -> Result<ChipReader<'r>, Failure> {
    let mut rng = UnwrapErr(getrandom::SysRng);
    ChipReader::open(reader, access, &mut rng).map_err(|error| read_failure(&error))
}

/// What a person can do about a chip that cannot be read.
pub(crate) fn read_failure(error: &ReadError) -> Failure {
    let id = match error {
        ReadError::Transport(_) => "chip-unreachable",
        ReadError::WrongPassword | ReadError::NoAccess => "chip-closed",
        ReadError::OtherApplication => "document-unusable",
        ReadError::NotAuthentic(_)
        | ReadError::Refused(..)
        | ReadError::Ended(_)
        | ReadError::Form(_)
        | ReadError::TooLarge => "chip-answer-invalid",
        ReadError::Question => "server-failed",
    };
    Failure::of(id, error)
}

/// What opens a chip, out of a file or as a person types it: the access number, or the lines of the
/// machine-readable zone as they are printed.
///
/// # Errors
///
/// `access-key-missing`, `access-key-invalid`, `file-unreadable`.
pub(crate) fn access_key(file: Option<&Path>) -> Result<AccessKey, Failure> {
    let text = match file {
        Some(path) => Zeroizing::new(files::read(path)?),
        None => typed()?,
    };
    let refused = |why: &dyn std::fmt::Display| Failure::of("access-key-invalid", why);
    let text = std::str::from_utf8(&text).map_err(|error| refused(&error))?;
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if let [number] = lines.as_slice()
        && let Some(key) = AccessKey::from_number(number)
    {
        return Ok(key);
    }
    AccessKey::from_printed(&lines).map_err(|error| refused(&error))
}

/// Lines of standard input up to an empty one.
fn typed() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        eprintln!(
            "Type the access number, or the machine-readable zone line by line, then an empty line:"
        );
    }
    let mut text = Zeroizing::new(Vec::with_capacity(TYPED_MAX));
    loop {
        let before = text.len();
        let read = (&mut input).take(LINE_MAX).read_until(b'\n', &mut text);
        let line = text.get(before..).unwrap_or_default();
        if read.is_err() || line.trim_ascii().is_empty() || text.len() > TYPED_MAX {
            break;
        }
    }
    if text.trim_ascii().is_empty() {
        let what = "what opens the chip is needed";
        return Err(Failure::of("access-key-missing", what));
    }
    Ok(text)
}

/// Longer than any zone, and than any of its lines.
const TYPED_MAX: usize = 256;
const LINE_MAX: u64 = 64;
