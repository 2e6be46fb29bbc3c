//! ELF files made to order, each as a linker would write it but for what is asked for: a processor, libraries,
//! versions of symbols, search paths, stacks, levels. The bytes of the code are missing; nobody runs them.

/// `e_machine` (System V gABI, "ELF Header").
pub const X86_64: u16 = 62;
pub const AARCH64: u16 = 183;
pub const I386: u16 = 3;
/// `e_type`
pub const RELOCATABLE: u16 = 1;
pub const PROGRAM: u16 = 2;
pub const LIBRARY: u16 = 3;
pub const CORE: u16 = 4;
/// `p_flags`
pub const EXECUTE: u32 = 1;
pub const WRITE: u32 = 2;
pub const READ: u32 = 4;

/// What is written; [`Elf::library`] is one that every box of its processor loads.
#[derive(Debug, Clone)]
pub struct Elf {
    pub is_64: bool,
    pub machine: u16,
    pub kind: u16,
    /// `PT_INTERP`
    pub interpreter: Option<String>,
    pub soname: Option<String>,
    pub needed: Vec<String>,
    pub rpath: Option<String>,
    pub runpath: Option<String>,
    /// library and version, `("libc.so.6", "GLIBC_2.17")`; those of one library stand together
    pub versions: Vec<(String, String)>,
    /// `DT_TEXTREL`
    pub textrel: bool,
    /// `DF_TEXTREL` of `DT_FLAGS`
    pub textrel_flag: bool,
    /// the flags of `PT_GNU_STACK`; none without one
    pub stack: Option<u32>,
    /// the flags of the one `PT_LOAD`
    pub load: u32,
    /// the bits of `GNU_PROPERTY_X86_ISA_1_NEEDED`
    pub isa_needed: Option<u32>,
    /// whether it has section headers; the loader needs none
    pub sections: bool,
}

impl Elf {
    /// A library for x86_64 that asks for `libc.so.6` with GLIBC_2.17.
    pub fn library() -> Self {
        Self {
            is_64: true,
            machine: X86_64,
            kind: LIBRARY,
            interpreter: None,
            soname: None,
            needed: vec!["libc.so.6".to_owned()],
            rpath: None,
            runpath: None,
            versions: vec![("libc.so.6".to_owned(), "GLIBC_2.17".to_owned())],
            textrel: false,
            textrel_flag: false,
            stack: Some(READ | WRITE),
            load: READ | EXECUTE,
            isa_needed: None,
            sections: true,
        }
    }

    /// The same, and it asks for one more version, and for its library where it does not yet.
    pub fn asking(mut self, library: &str, version: &str) -> Self {
        if !self.needed.iter().any(|needed| needed == library) {
            self.needed.push(library.to_owned());
        }
        self.versions.push((library.to_owned(), version.to_owned()));
        self
    }

    /// The bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut strings = Strings::default();
        let interpreter = self.interpreter.as_ref().map(|path| [path.as_bytes(), b"\0"].concat());
        let note = self.isa_needed.map(|bits| self.note(bits));
        let verneed = self.verneed(&mut strings);
        let mut dynamic = self.dynamic(&mut strings);
        let (word, header, entry) = if self.is_64 { (8, 64, 56) } else { (4, 52, 32) };
        let mut count = 1 + usize::from(self.kind != RELOCATABLE);
        count += [interpreter.is_some(), note.is_some(), self.stack.is_some()].map(usize::from).iter().sum::<usize>();

        // The pieces, each at an address that is its place in the file.
        let mut body = Vec::new();
        let start = header + entry * count;
        let mut place = |bytes: &[u8]| {
            body.resize(body.len().next_multiple_of(8), 0);
            body.extend_from_slice(bytes);
            (start + body.len() - bytes.len(), bytes.len())
        };
        let start_of_strings = place(&strings.bytes);
        let at_verneed = place(&verneed);
        let at_interpreter = interpreter.as_ref().map(|bytes| place(bytes));
        let at_note = note.as_ref().map(|bytes| place(bytes));
        const STRTAB: u64 = 5;
        const STRSZ: u64 = 10;
        dynamic.push((STRTAB, start_of_strings.0 as u64));
        dynamic.push((STRSZ, start_of_strings.1 as u64));
        if !self.versions.is_empty() {
            dynamic.push((0x6fff_fffe, at_verneed.0 as u64));
            dynamic.push((0x6fff_ffff, self.libraries().len() as u64));
        }
        dynamic.push((0, 0));
        let flat = |(tag, value): &(u64, u64)| [number(*tag, word), number(*value, word)].concat();
        let at_dynamic = place(&dynamic.iter().flat_map(flat).collect::<Vec<u8>>());
        let pieces = [start_of_strings, at_verneed, at_dynamic];
        let names = place(b"\0.dynstr\0.gnu.version_r\0.dynamic\0.shstrtab\0");
        let end = start + body.len();
        let sections = if self.sections { self.section_headers(&pieces, names, word) } else { Vec::new() };

        let segment = |kind: u32, flags: u32, (at, size): (usize, usize), align: u64| -> Vec<u8> {
            let sizes = [at, at, at, size, size].map(|value| number(value as u64, word)).concat();
            let (kind, flags) = (number(kind.into(), 4), number(flags.into(), 4));
            match self.is_64 {
                true => [kind, flags, sizes, number(align, word)].concat(),
                false => [kind, sizes, flags, number(align, word)].concat(),
            }
        };
        let mut segments = Vec::new();
        segments.extend(at_interpreter.map(|at| segment(3, READ, at, 1)));
        segments.push(segment(1, self.load, (0, end), 0x1000));
        if self.kind != RELOCATABLE {
            segments.push(segment(2, READ | WRITE, at_dynamic, word as u64));
        }
        segments.extend(at_note.map(|at| segment(0x6474_e553, READ, at, word as u64)));
        segments.extend(self.stack.map(|flags| segment(0x6474_e551, flags, (0, 0), 16)));
        assert_eq!(segments.len(), count);

        let section_count = if sections.is_empty() { 0 } else { 5 };
        let at_sections = if sections.is_empty() { 0 } else { end.next_multiple_of(8) };
        let mut file = b"\x7fELF".to_vec();
        file.extend([if self.is_64 { 2 } else { 1 }, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for (value, size) in [(u64::from(self.kind), 2), (self.machine.into(), 2), (1, 4)] {
            file.extend(number(value, size));
        }
        for value in [0, header as u64, at_sections as u64] {
            file.extend(number(value, word));
        }
        file.extend(number(0, 4));
        let section = if self.is_64 { 64 } else { 40 };
        for value in [header, entry, count, section, section_count, section_count.saturating_sub(1)] {
            file.extend(number(value as u64, 2));
        }
        file.extend(segments.concat());
        file.extend(body);
        if !sections.is_empty() {
            file.resize(at_sections, 0);
            file.extend(sections);
        }
        file
    }

    /// The libraries of the versions, each once, in their order.
    fn libraries(&self) -> Vec<&str> {
        let mut libraries: Vec<&str> = self.versions.iter().map(|(library, _)| library.as_str()).collect();
        let mut seen = std::collections::BTreeSet::new();
        libraries.retain(|library| seen.insert(*library));
        libraries
    }

    fn dynamic(&self, strings: &mut Strings) -> Vec<(u64, u64)> {
        let mut dynamic: Vec<(u64, u64)> = self.needed.iter().map(|name| (1, strings.add(name))).collect();
        for (tag, text) in [(14, &self.soname), (15, &self.rpath), (29, &self.runpath)] {
            dynamic.extend(text.as_ref().map(|text| (tag, strings.add(text))));
        }
        dynamic.extend(self.textrel.then_some((22, 0)));
        dynamic.extend(self.textrel_flag.then_some((30, 4)));
        dynamic
    }

    /// `.gnu.version_r`: a record a library, and behind it one a version.
    fn verneed(&self, strings: &mut Strings) -> Vec<u8> {
        let mut table = Vec::new();
        let libraries = self.libraries();
        for (index, library) in libraries.iter().enumerate() {
            let versions: Vec<&String> = self.versions.iter().filter(|(l, _)| l == library).map(|(_, v)| v).collect();
            let size = 16 * (1 + versions.len());
            let next = if index + 1 == libraries.len() { 0 } else { size };
            for (value, width) in
                [(1, 2), (versions.len() as u64, 2), (strings.add(library), 4), (16, 4), (next as u64, 4)]
            {
                table.extend(number(value, width));
            }
            for (place, version) in versions.iter().enumerate() {
                let next = if place + 1 == versions.len() { 0 } else { 16 };
                for (value, width) in [(0, 4), (0, 2), (2 + place as u64, 2), (strings.add(version), 4), (next, 4)] {
                    table.extend(number(value, width));
                }
            }
        }
        table
    }

    /// `.note.gnu.property` with one property.
    fn note(&self, bits: u32) -> Vec<u8> {
        let size = if self.is_64 { 16 } else { 12 };
        let mut note = [4_u32, size, 5].map(u32::to_le_bytes).concat();
        note.extend(b"GNU\0");
        note.extend([0xc000_8002, 4, bits].map(u32::to_le_bytes).concat());
        note.resize(16 + size as usize, 0);
        note
    }

    fn section_headers(&self, pieces: &[(usize, usize); 3], names: (usize, usize), word: usize) -> Vec<u8> {
        // name, kind, place, link, info, size of an entry
        let rows = [
            (0, 0, (0, 0), 0, 0, 0),
            (1, 3, pieces[0], 0, 0, 0),
            (9, 0x6fff_fffe, pieces[1], 1, self.libraries().len(), 0),
            (24, 6, pieces[2], 1, 0, 2 * word),
            (33, 3, names, 0, 0, 0),
        ];
        let mut headers = Vec::new();
        for (name, kind, (at, size), link, info, entry) in rows {
            let address = if name == 33 { 0 } else { at };
            headers.extend([number(name, 4), number(kind, 4)].concat());
            headers.extend([2, address as u64, at as u64, size as u64].map(|value| number(value, word)).concat());
            headers.extend([number(link, 4), number(info as u64, 4)].concat());
            headers.extend([number(8, word), number(entry as u64, word)].concat());
        }
        headers
    }
}

/// A string table that starts with the empty string.
struct Strings {
    bytes: Vec<u8>,
}

impl Default for Strings {
    fn default() -> Self {
        Self { bytes: vec![0] }
    }
}

impl Strings {
    fn add(&mut self, text: &str) -> u64 {
        let at = self.bytes.len();
        self.bytes.extend([text.as_bytes(), b"\0"].concat());
        at as u64
    }
}

/// Little-endian, of so many bytes.
fn number(value: u64, size: usize) -> Vec<u8> {
    value.to_le_bytes()[..size].to_vec()
}
