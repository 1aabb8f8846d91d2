//! A process that hosts a function, prints which processes it started, and waits to be killed.

use std::io::Write as _;

use lambda_host::{FunctionConfig, Host, Invocation, Setup};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let program = std::env::args()
        .nth(1)
        .ok_or("the function's program is missing")?;
    let host = Host::new(Setup::default());
    host.create(FunctionConfig::new("f", program))?;
    for event in [
        r#"{"do":"count"}"#,
        r#"{"do":"grandchild"}"#,
        r#"{"do":"grandchild","leave":true}"#,
    ] {
        let invoked = host.invoke("f", Invocation::new(event)).await?;
        println!("{}", String::from_utf8_lossy(&invoked.payload));
    }
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(())
}
