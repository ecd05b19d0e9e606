//! The part of `docs/benchmarks.md` that a full run writes.

const BEGIN: &str = "<!-- ./bench/bbs: begin -->";
const END: &str = "<!-- ./bench/bbs: end -->";

/// `text` with `section` between the markers; behind everything where there are none yet.
pub fn with_section(text: &str, section: &str) -> String {
    let section = format!("{BEGIN}\n{}\n{END}", section.trim());
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    match parts {
        Some((before, after)) => format!("{before}{section}{after}"),
        None => format!("{}\n\n{section}\n", text.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_the_one_before_and_of_nothing_else() {
        let first = with_section("# Measured\n\n## Other\n", "one\n");
        assert_eq!(
            first,
            format!("# Measured\n\n## Other\n\n{BEGIN}\none\n{END}\n")
        );
        let text = format!("{first}\n## Behind\n");
        let second = with_section(&text, "two");
        assert_eq!(second, text.replace("one", "two"));
        assert_eq!(with_section(&second, "two"), second);
    }

    #[test]
    fn a_marker_without_its_other_one_loses_no_text() {
        let text = format!("before\n{BEGIN}\nrest\n");
        assert!(with_section(&text, "two").starts_with(&text));
    }
}
