//! Reads a collection of rules: a folder, or the same as `.tar.gz`. The only place of this crate that opens files.
//!
//! A collection comes from outside: files, sizes and depth are bounded, links are not followed, nothing is unpacked to disk.
//! What is left out is named with its reason.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::rules::Refused;

pub const MAX_FILES: usize = 20_000;
pub const MAX_FILE_BYTES: u64 = 512 * 1024;
pub const MAX_TOTAL_BYTES: u64 = 64 * 1024 * 1024;
const MAX_DEPTH: usize = 16;

/// A collection, log or label file that could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not read `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` holds more than {limit}; split it, or give a part of it")]
    TooMuch { path: PathBuf, limit: String },
    #[error("`{path}` is not as expected: {why}")]
    Form { path: PathBuf, why: String },
}

/// One rule file: its name within the collection, and its text.
#[derive(Debug)]
pub(crate) struct RuleFile {
    pub name: String,
    pub text: String,
}

/// The rule files in the order of their names, whatever order the file system or the archive has them in.
pub(crate) fn rule_files(path: &Path) -> Result<(Vec<RuleFile>, Vec<Refused>), Error> {
    let mut found = Found { root: path.to_owned(), files: Vec::new(), refused: Vec::new(), bytes: 0 };
    if fs::metadata(path).map_err(at(path))?.is_dir() {
        found.folder(path, 0)?;
    } else {
        found.archive(path)?;
    }
    found.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((found.files, found.refused))
}

struct Found {
    root: PathBuf,
    files: Vec<RuleFile>,
    refused: Vec<Refused>,
    bytes: u64,
}

impl Found {
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(self.too_much(&format!("{MAX_DEPTH} folders in one another")));
        }
        for entry in fs::read_dir(folder).map_err(at(folder))? {
            let entry = entry.map_err(at(folder))?;
            let path = entry.path();
            // `file_type` does not follow a link: one that leads out of the folder, or in a circle, is left out.
            let kind = entry.file_type().map_err(at(&path))?;
            if kind.is_dir() {
                self.folder(&path, depth + 1)?;
            } else if kind.is_file() && is_rule(&path) {
                let name = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                let mut file = File::open(&path).map_err(at(&path))?;
                self.take(name, &mut file).map_err(at(&path))??;
            }
        }
        Ok(())
    }

    fn archive(&mut self, path: &Path) -> Result<(), Error> {
        // The bound on the whole holds for what is skipped, too: an archive of zeros must not be unpacked for ever.
        let bounded = GzDecoder::new(File::open(path).map_err(at(path))?).take(4 * MAX_TOTAL_BYTES);
        let mut archive = tar::Archive::new(bounded);
        for (count, entry) in archive.entries().map_err(at(path))?.enumerate() {
            if count >= 4 * MAX_FILES {
                return Err(self.too_much(&format!("{} entries", 4 * MAX_FILES)));
            }
            let mut entry = entry.map_err(at(path))?;
            let name = entry.path().map_err(at(path))?.to_string_lossy().into_owned();
            if entry.header().entry_type().is_file() && is_rule(Path::new(&name)) {
                self.take(name, &mut entry).map_err(at(path))??;
            }
        }
        Ok(())
    }

    /// A file too big, or that is no text, is refused by name; too many of them end the reading.
    fn take(&mut self, name: String, from: &mut dyn Read) -> io::Result<Result<(), Error>> {
        let mut bytes = Vec::new();
        from.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        self.bytes += bytes.len() as u64;
        if self.files.len() + self.refused.len() >= MAX_FILES {
            return Ok(Err(self.too_much(&format!("{MAX_FILES} rule files"))));
        }
        if self.bytes > MAX_TOTAL_BYTES {
            return Ok(Err(self.too_much(&format!("{MAX_TOTAL_BYTES} bytes of rules"))));
        }
        if bytes.len() as u64 > MAX_FILE_BYTES {
            self.refused.push(Refused::new(&name, format!("longer than {MAX_FILE_BYTES} bytes")));
        } else {
            match String::from_utf8(bytes) {
                Ok(text) => self.files.push(RuleFile { name, text }),
                Err(_) => self.refused.push(Refused::new(&name, "not UTF-8 text")),
            }
        }
        Ok(Ok(()))
    }

    fn too_much(&self, limit: &str) -> Error {
        Error::TooMuch { path: self.root.clone(), limit: limit.to_owned() }
    }
}

fn is_rule(path: &Path) -> bool {
    let hidden = path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("._"));
    !hidden && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("yml") || e.eq_ignore_ascii_case("yaml"))
}

pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::Read { path: path.to_owned(), source }
}
