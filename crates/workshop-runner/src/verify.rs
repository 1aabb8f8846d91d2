//! The author's proof: starters fail, solutions pass, wrong answers die in their named test.
