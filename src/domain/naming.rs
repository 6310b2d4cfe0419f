//! The names of files, from a template: where below the output folder an output goes, and what it is called.
//! Whatever the template and the facts are, the result stays inside the folder.

use std::fmt;

/// The template when nothing else is said: day, first words of the prompt, id, number, extension.
pub const DEFAULT_TEMPLATE: &str = "{date}-{slug}-{id}-{n}.{ext}";
/// Longest template, in bytes.
const MAX_TEMPLATE: usize = 400;
/// Folders below the output folder.
const MAX_FOLDERS: usize = 8;
/// Longest name of a folder, in bytes.
const MAX_FOLDER: usize = 180;
/// Longest name of a file without its extension, in bytes: `-1000`, `.webp` and `.json` must fit behind it.
const MAX_STEM: usize = 160;
/// What joins words; it goes together with the empty placeholder behind it.
const JOINTS: [char; 4] = ['-', '_', '.', ' '];

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Date,
    Model,
    Slug,
    Id,
    Number,
    Extension,
}

/// The placeholders and what each is called.
const SLOTS: [(&str, Slot); 6] = [
    ("{date}", Slot::Date),
    ("{model}", Slot::Model),
    ("{slug}", Slot::Slug),
    ("{id}", Slot::Id),
    ("{n}", Slot::Number),
    ("{ext}", Slot::Extension),
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Slot),
}

/// A checked template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    folders: Vec<Vec<Piece>>,
    /// Without the extension, which every file has.
    stem: Vec<Piece>,
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// It asks for something that there is not.
    #[error("{0:?} is not known; there are {{date}} {{model}} {{slug}} {{id}} {{n}} {{ext}}")]
    Unknown(String),
    /// A brace without its partner.
    #[error("a brace has no partner")]
    Brace,
    /// It begins or ends with a slash, has two in a row, or a part that is `.` or `..`.
    #[error("every part between slashes needs a name, and none may be . or ..")]
    Part,
    /// It is longer than 400 bytes or has more than eight folders.
    #[error("it is too long")]
    Long,
}

/// What is known about an output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The day, such as `2026-04-27`.
    pub date: String,
    /// The model.
    pub model: String,
    /// The first words of the prompt, see [`slug`].
    pub slug: String,
    /// The task.
    pub id: String,
    /// Which output of the task, counted from 1; the first is not numbered.
    pub number: u32,
}

/// Where an output goes, below the output folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// From the outside in.
    pub folders: Vec<String>,
    /// The name of the file without its extension.
    pub stem: String,
}

impl Default for Template {
    fn default() -> Self {
        let slot = Piece::Slot;
        let dash = || Piece::Text("-".to_owned());
        let stem = vec![slot(Slot::Date), dash(), slot(Slot::Slug), dash(), slot(Slot::Id), dash(), slot(Slot::Number)];
        Self { folders: Vec::new(), stem }
    }
}

impl Template {
    /// Reads a template: text, placeholders, and `/` between folders.
    ///
    /// # Errors
    /// See [`BadTemplate`].
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        if text.len() > MAX_TEMPLATE {
            return Err(BadTemplate::Long);
        }
        let mut parts = text.split('/').map(pieces).collect::<Result<Vec<_>, _>>()?;
        let mut stem = parts.pop().unwrap_or_default();
        if parts.len() > MAX_FOLDERS {
            return Err(BadTemplate::Long);
        }
        // Every file gets its extension at the end; here it needs no second one.
        if let [.., Piece::Text(before), Piece::Slot(Slot::Extension)] = stem.as_mut_slice()
            && before.ends_with('.')
        {
            before.pop();
            let bare = before.is_empty();
            stem.truncate(stem.len() - 1 - usize::from(bare));
        }
        Ok(Self { folders: parts, stem })
    }

    /// The name of an output; `extension` is what it turned out to be, without a dot.
    #[must_use]
    pub fn name(&self, facts: &Facts, extension: &str) -> Name {
        let folder = |part: &Vec<Piece>| safe(&fill(part, facts, extension), MAX_FOLDER);
        let stem = safe(&fill(&self.stem, facts, extension), MAX_STEM);
        Name { folders: self.folders.iter().map(folder).collect(), stem }
    }
}

/// Takes one part of a template apart.
fn pieces(part: &str) -> Result<Vec<Piece>, BadTemplate> {
    if matches!(part.trim(), "" | "." | "..") {
        return Err(BadTemplate::Part);
    }
    let mut pieces = Vec::new();
    let mut rest = part;
    while let Some(at) = rest.find(['{', '}']) {
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].to_owned()));
        }
        rest = &rest[at..];
        let end = rest.find('}').filter(|end| *end > 0).ok_or(BadTemplate::Brace)?;
        let word = &rest[..=end];
        let known = SLOTS.iter().find(|(name, _)| *name == word);
        let (_, slot) = known.ok_or_else(|| BadTemplate::Unknown(word.to_owned()))?;
        pieces.push(Piece::Slot(*slot));
        rest = &rest[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

/// Puts the facts in. What is empty takes what joined it to the rest along.
fn fill(pieces: &[Piece], facts: &Facts, extension: &str) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(more) if text.is_empty() => text.push_str(more.trim_start_matches(JOINTS)),
            Piece::Text(more) => text.push_str(more),
            Piece::Slot(slot) => {
                let number = if facts.number > 1 { facts.number.to_string() } else { String::new() };
                let value = match slot {
                    Slot::Date => &facts.date,
                    Slot::Model => &facts.model,
                    Slot::Slug => &facts.slug,
                    Slot::Id => &facts.id,
                    Slot::Number => &number,
                    Slot::Extension => extension,
                };
                if value.is_empty() {
                    text.truncate(text.trim_end_matches(JOINTS).len());
                } else {
                    // Small letters only: no two names of ours differ in nothing but that.
                    let plain = |c: char| if c.is_ascii_alphanumeric() || JOINTS[..3].contains(&c) { c } else { '-' };
                    text.extend(value.chars().map(|c| plain(c).to_ascii_lowercase()));
                }
            }
        }
    }
    text
}

/// Makes a name that is safe in any folder: letters, digits, `.`, `_`, `-` and spaces inside; no dot, dash or space at
/// either end; none of the names some systems keep for devices; cut by bytes on a character's boundary.
#[must_use]
pub fn safe(wish: &str, longest: usize) -> String {
    // Letters that show nothing.
    let blank = |c: char| matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    let fits = |c: char| (c.is_alphabetic() && !blank(c)) || c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | ' ');
    let ends = ['.', '-', ' '];
    let name: String = wish.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches(ends);
    let name = name[..name.floor_char_boundary(longest.saturating_sub(1))].trim_end_matches(ends);
    let first = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = |word: &str| {
        first.strip_prefix(word).is_some_and(|digit| digit.len() == 1 && digit.bytes().all(|b| b.is_ascii_digit()))
    };
    if name.is_empty() {
        "output".to_owned()
    } else if matches!(first.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt") {
        format!("_{name}")
    } else {
        name.to_owned()
    }
}

/// The first words of a prompt, six at most, as part of a name.
#[must_use]
pub fn slug(prompt: &str) -> String {
    let words: Vec<String> = prompt
        .split(|c: char| !c.is_alphanumeric())
        .map(|word| word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase())
        .filter(|word| !word.is_empty())
        .take(6)
        .collect();
    let mut slug = words.join("-");
    slug.truncate(48);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folders.iter().try_for_each(|folder| write!(f, "{folder}/"))?;
        f.write_str(&self.stem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts() -> Facts {
        let text = str::to_owned;
        Facts {
            date: text("2026-04-27"),
            model: text("Maker/One"),
            slug: text("a-fox"),
            id: text("abcdef0"),
            number: 1,
        }
    }

    fn named(template: &str, facts: &Facts) -> String {
        Template::parse(template).expect(template).name(facts, "png").to_string()
    }

    #[test]
    fn a_template_is_filled_in() {
        let second = Facts { number: 2, ..facts() };
        let mute = Facts { slug: String::new(), ..second.clone() };
        for (template, facts, name) in [
            (DEFAULT_TEMPLATE, facts(), "2026-04-27-a-fox-abcdef0"),
            (DEFAULT_TEMPLATE, second.clone(), "2026-04-27-a-fox-abcdef0-2"),
            (DEFAULT_TEMPLATE, mute.clone(), "2026-04-27-abcdef0-2"),
            ("{model}/{date}/{id}_{n}", second.clone(), "maker-one/2026-04-27/abcdef0_2"),
            ("{slug} {id}.{ext}", mute.clone(), "abcdef0"),
            ("{ext}/{id}", second, "png/abcdef0"),
            ("Bilder für Anna/{id}", facts(), "Bilder für Anna/abcdef0"),
            ("{slug}", mute, "output"),
            ("con/.{n}/{id}", facts(), "_con/output/abcdef0"),
        ] {
            assert_eq!(named(template, &facts), name, "{template}");
        }
        assert_eq!(Template::parse(DEFAULT_TEMPLATE), Ok(Template { stem: Template::default().stem, folders: vec![] }));
    }

    #[test]
    fn what_is_no_template_says_why() {
        for template in ["", "/", "/{id}", "{id}/", "a//b", "../{id}", "a/./b", "a/.."] {
            assert_eq!(Template::parse(template), Err(BadTemplate::Part), "{template:?}");
        }
        for template in ["{id", "id}", "{", "}{id}", "{id}}"] {
            assert_eq!(Template::parse(template), Err(BadTemplate::Brace), "{template:?}");
        }
        for (template, word) in [("{seed}-{id}", "{seed}"), ("{}", "{}"), ("{{id}}", "{{id}"), ("{ID}", "{ID}")] {
            assert_eq!(Template::parse(template), Err(BadTemplate::Unknown(word.into())), "{template:?}");
        }
        assert_eq!(Template::parse(&"x".repeat(401)), Err(BadTemplate::Long));
        assert_eq!(Template::parse(&"x/".repeat(10).add("x")), Err(BadTemplate::Long));
        let words = BadTemplate::Unknown("{seed}".into()).to_string();
        assert!(words.contains("{slug}") && words.contains("\"{seed}\""), "{words}");
    }

    use std::ops::Add as _;

    #[test]
    fn hostile_names_become_plain_ones() {
        for (wish, name) in [
            ("fox-1", "fox-1"),
            ("../../etc/passwd", "etc-passwd"),
            ("/abs", "abs"),
            ("..", "output"),
            ("", "output"),
            ("-rf", "rf"),
            ("~x", "x"),
            (".hidden", "hidden"),
            ("a\0b\nc\u{1b}d", "a-b-c-d"),
            ("ends. ", "ends"),
            ("\u{202e}gnp", "gnp"),
            ("CON", "_CON"),
            ("con .x", "_con .x"),
            ("com1.x", "_com1.x"),
            ("com¹", "com"),
            ("console", "console"),
            ("\u{3164}", "output"),
        ] {
            assert_eq!(safe(wish, 160), name, "{wish:?}");
        }
        assert_eq!(safe(&"é".repeat(300), 160).len(), 158);
    }

    #[test]
    fn the_first_words_of_a_prompt() {
        assert_eq!(slug("A fox, in the SNOW! größer 狐 ../../etc"), "a-fox-in-the-snow-grer");
        assert_eq!(slug("狐"), "");
        assert_eq!(slug(&"x".repeat(500)).len(), 48);
    }

    proptest! {
        #[test]
        fn any_name_is_safe(
            template in "(\\{(date|model|slug|id|n|ext)\\}|[/._ ~-]|\\PC){1,30}",
            (date, model, slug) in ("\\PC{0,300}", ".{0,300}", "[./~ -]{0,30}"),
            (id, number, extension) in ("(con|\\PC){0,3}", 0..70_000u32, "png|webp"),
        ) {
            let facts = Facts { date, model, slug, id, number };
            let Ok(template) = Template::parse(&template) else { return Ok(()) };
            let folders = template.folders.len();
            let name = template.name(&facts, &extension);
            prop_assert_eq!(name.folders.len(), folders, "folders come from the template alone");
            let file = format!("{}-1000.{extension}.json", name.stem);
            for part in name.folders.iter().chain([&name.stem, &file]) {
                prop_assert!(!part.is_empty() && part.len() <= 200, "{:?}", part);
                prop_assert!(!part.starts_with(['.', '-', ' ', '~']) && !part.ends_with(['.', ' ']), "{:?}", part);
                prop_assert!(!part.contains(['/', '\\', ':', '\0']) && !part.chars().any(char::is_control), "{:?}", part);
                let first = part.split('.').next().unwrap_or_default().trim().to_lowercase();
                prop_assert!(!["con", "prn", "aux", "nul", "com1", "lpt9"].contains(&first.as_str()), "{:?}", part);
            }
            let path = std::path::Path::new("/out").join(name.to_string());
            prop_assert!(path.components().all(|part| !matches!(part, std::path::Component::ParentDir)));
            prop_assert!(path.starts_with("/out") && path.components().count() == folders + 3);
        }
    }
}
