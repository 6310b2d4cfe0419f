//! What a terminal is asked.

use super::caps::Env;

/// The id of the picture that is only asked about.
pub(super) const QUERY_ID: u32 = 31;

/// Everything we want to know, in one write, to be sent once after the first frame and again when
/// the cell size may have changed. Nothing waits for the answers.
///
/// Consoles that would print what they do not know are only asked for their attributes. Where the
/// cursor stands, something may be printed all the same by terminals that do not know strings (APC):
/// send it with [`Output::ask`](super::Output::ask), which draws over that.
pub fn questions(env: &Env) -> Vec<u8> {
    const VERSION: &str = "\x1b[>q";
    const ATTRIBUTES: &str = "\x1b[c";
    if matches!(env.term.as_str(), "linux" | "dumb" | "vt100" | "vt220" | "ansi") {
        return ATTRIBUTES.into();
    }
    let graphics = if env.term_program == "Apple_Terminal" {
        String::new()
    } else {
        format!("\x1b_Gi={QUERY_ID},s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\")
    };
    let sizes = "\x1b[16t\x1b[14t\x1b[18t\x1b[?2;1;0S";
    let others = "\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b[?2026$p\x1b[?u";
    let mut out = Vec::new();
    if env.in_tmux() {
        // tmux answers what is its own; the rest is for the terminal behind it.
        out.extend([VERSION, sizes, others, ATTRIBUTES].concat().into_bytes());
        for question in [VERSION, &graphics, ATTRIBUTES] {
            super::lane::pass_through(&mut out, question.as_bytes());
        }
    } else {
        out.extend([VERSION, &graphics, sizes, others, ATTRIBUTES].concat().into_bytes());
    }
    out
}
