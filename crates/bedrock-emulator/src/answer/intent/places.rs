//! Places that a prompt names, so that two of them make two calls.

/// Capitalized places after "in", "for", "at", also in a list: `in Berlin, New York and Rome`.
pub(super) fn places(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut places: Vec<String> = Vec::new();
    let mut at = 0;
    let mut listing = false;
    while at < words.len() {
        let word = words[at].to_lowercase();
        if ["in", "for", "at", "near"].contains(&word.as_str()) {
            (listing, at) = (true, at + 1);
            continue;
        }
        if listing && (word == "and" || word == "or" || word == "&") {
            at += 1;
            continue;
        }
        let mut run: Vec<&str> = Vec::new();
        let mut ended = false;
        while listing && !ended && at < words.len() && words[at].starts_with(char::is_uppercase) {
            let bare = words[at].trim_end_matches(|c: char| !c.is_alphanumeric());
            ended = bare.len() < words[at].len();
            // A sentence ends the list, a comma does not.
            listing = !words[at].ends_with(['.', '?', '!', ':']);
            run.push(bare);
            at += 1;
            if !listing {
                break;
            }
        }
        if run.is_empty() {
            listing = false;
            at += 1;
        } else {
            let place = run.join(" ");
            // "San Francisco, CA" is one place.
            let state = place.len() == 2 && place.bytes().all(|b| b.is_ascii_uppercase());
            if state && !places.is_empty() {
                continue;
            }
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

/// `text` with the other places left out.
pub(super) fn without(text: &str, places: &[String], keep: &str) -> String {
    let others = places.iter().filter(|place| *place != keep);
    others.fold(text.to_owned(), |text, other| {
        text.replace(other.as_str(), "")
    })
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn lists_of_places_are_read() {
        assert_eq!(
            places("weather in Berlin, New York and Rome today"),
            ["Berlin", "New York", "Rome"]
        );
        assert_eq!(places("in Berlin. Thanks, Ada"), ["Berlin"]);
        assert_eq!(places("in San Francisco, CA?"), ["San Francisco"]);
        assert_eq!(places("nothing here"), Vec::<String>::new());
    }
}
