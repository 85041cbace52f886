//! Sets facts as a PDF with the one template and the two fonts that are built in.
//!
//! Typst asks its world for sources, files, fonts and the date. This world has one source and two fonts, answers “not found”
//! to any file and “unknown” to the date (SEC-36). Facts come in as values, never as text of the template, so nothing in them
//! can be a command (SEC-30). Typst's memory of earlier work is emptied after each document: no text of one tenant stays.

use std::collections::BTreeSet;

use typst::comemo;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Dict, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use crate::{Error, Facts};

const TEMPLATE: &str = include_str!("incident.typ");
const REGULAR: &[u8] = include_bytes!("../fonts/BIZUDPGothic-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../fonts/BIZUDPGothic-Bold.ttf");

/// Fonts and template, read once and shared by all documents.
#[derive(Debug)]
pub struct Renderer {
    fonts: Vec<Font>,
    book: LazyHash<FontBook>,
    template: Source,
    /// Every character that both weights have, in order.
    printable: Vec<u32>,
}

impl Renderer {
    pub fn new() -> Result<Self, Error> {
        let read = |bytes: &'static [u8]| Font::new(Bytes::new(bytes), 0).ok_or(Error::Font);
        let fonts = vec![read(REGULAR)?, read(BOLD)?];
        let book = LazyHash::new(FontBook::from_fonts(&fonts));
        let bold = fonts[1].info().coverage.iter().collect::<BTreeSet<u32>>();
        let printable = fonts[0].info().coverage.iter().filter(|c| bold.contains(c)).collect();
        let path = VirtualPath::new("incident.typ").map_err(|e| Error::Typeset(e.to_string()))?;
        let id = FileId::new(RootedPath::new(VirtualRoot::Project, path));
        Ok(Self { fonts, book, template: Source::new(id, TEMPLATE.to_owned()), printable })
    }

    /// The PDF and its number of pages. The same facts give the same bytes.
    pub(crate) fn pdf(&self, facts: &Facts) -> Result<(Vec<u8>, usize), Error> {
        let made = self.set(facts);
        comemo::evict(0);
        made
    }

    fn set(&self, facts: &Facts) -> Result<(Vec<u8>, usize), Error> {
        let document = self.document(facts)?;
        let options = PdfOptions {
            // The same id for every version of one report in one language.
            ident: Smart::Custom(format!("{}/{}", facts.id, facts.language)),
            creator: Smart::Custom(Some("Yagura".to_owned())),
            standards: PdfStandards::new(&[PdfStandard::A_3a, PdfStandard::Ua_1])
                .map_err(|e| Error::Typeset(e.message().to_string()))?,
            ..PdfOptions::default()
        };
        let pdf = typst_pdf::pdf(&document, &options).map_err(|faults| fault(&faults))?;
        Ok((pdf, document.pages().len()))
    }

    pub(crate) fn document(&self, facts: &Facts) -> Result<PagedDocument, Error> {
        let mut inputs = serde_json::to_value(facts).map_err(Error::Facts)?;
        self.make_printable(&mut inputs);
        let inputs: Dict = serde_json::from_value(inputs).map_err(Error::Facts)?;
        let library = LazyHash::new(Library::builder().with_inputs(inputs).build());
        typst::compile(&Desk { renderer: self, library }).output.map_err(|faults| fault(&faults))
    }

    /// A character that the fonts lack would be an empty box, and no PDF/A: it is shown by its number instead.
    fn make_printable(&self, value: &mut serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) if !text.chars().all(|c| self.prints(c)) => {
                *text = text.chars().fold(String::new(), |mut out, c| {
                    if self.prints(c) {
                        out.push(c);
                    } else {
                        out.extend(c.escape_unicode());
                    }
                    out
                });
            }
            Value::Array(list) => list.iter_mut().for_each(|v| self.make_printable(v)),
            Value::Object(map) => map.values_mut().for_each(|v| self.make_printable(v)),
            _ => {}
        }
    }

    pub(crate) fn prints(&self, c: char) -> bool {
        self.printable.binary_search(&u32::from(c)).is_ok()
    }
}

/// The world of one document.
struct Desk<'a> {
    renderer: &'a Renderer,
    library: LazyHash<Library>,
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.renderer.book
    }

    fn main(&self) -> FileId {
        self.renderer.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main() { Ok(self.renderer.template.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.renderer.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// Typst's own words for what went wrong. They name the template, never the data.
fn fault(faults: &[SourceDiagnostic]) -> Error {
    let mut messages: Vec<String> = faults.iter().map(|f| f.message.to_string()).collect();
    messages.dedup();
    Error::Typeset(messages.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_can_read_no_file_no_package_and_no_clock_sec_36() {
        for wish in [
            "#read(\"/etc/hostname\")",
            "#import \"@preview/cetz:0.3.0\": *",
            "#include \"other.typ\"",
            "#datetime.today()",
        ] {
            let renderer = Renderer::new().unwrap();
            let renderer = Renderer { template: Source::new(renderer.template.id(), wish.to_owned()), ..renderer };
            let desk = Desk { renderer: &renderer, library: LazyHash::new(Library::default()) };
            assert!(typst::compile::<PagedDocument>(&desk).output.is_err(), "{wish}");
        }
    }
}
