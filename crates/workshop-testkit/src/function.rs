//! A test program that is a Lambda function, too.
//!
//! A program of its own for the function would be linked at every edit. So Lambda gets the test program,
//! started once more with the name of one test, and that test is the function then.

use std::{env, fmt::Debug, future::Future};

use tokio::runtime::Builder;

/// Whether Lambda started this process.
pub fn in_lambda() -> bool {
    // Lambda sets it for its functions, and nobody else does.
    env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
}

/// The arguments with which the test program runs that test alone, and lets through what it prints.
pub fn alone(test: &str) -> Vec<String> {
    let arguments = [test, "--exact", "--nocapture", "--test-threads=1"];
    arguments.map(str::to_owned).into()
}

/// The body of a test whose program is also its function: in Lambda `function` runs, which ends when
/// Lambda says so, and everywhere else the test.
///
/// ```no_run
/// # mod bootstrap { pub fn main() -> Result<(), std::io::Error> { Ok(()) } }
/// # async fn over_lambda() {}
/// // #[test]
/// fn from_the_client_to_bedrock_over_lambda() {
///     workshop_testkit::function_or_test(bootstrap::main, over_lambda());
/// }
/// ```
///
/// # Panics
///
/// If the function ends with an error, or the test fails.
pub fn function_or_test<E: Debug>(
    function: impl FnOnce() -> Result<(), E>,
    test: impl Future<Output = ()>,
) {
    if in_lambda() {
        // The test harness has begun a line of its own.
        println!();
        function().expect("Lambda goes on");
        return;
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(test);
}
