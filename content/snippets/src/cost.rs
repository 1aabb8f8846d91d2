//! A budget that stops spending before it happens.

use std::{
    error::Error,
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_sdk_bedrockruntime::{Client, error::SdkError, types::TokenUsage};

use crate::direct::{AskError, Reply, ask};

/// Millionths of a US dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct MicroUsd(pub u64);

/// Prices in micro-USD for 1,000 tokens (1 USD for a million tokens is 1,000).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Input.
    pub input: u64,
    /// Output.
    pub output: u64,
    /// Input written to the prompt cache.
    pub cache_write: u64,
    /// Input read from the prompt cache.
    pub cache_read: u64,
}

impl Price {
    /// What a finished call costs, rounded up.
    pub fn of(&self, usage: &TokenUsage) -> MicroUsd {
        let tokens = |count: i32| u64::try_from(count).unwrap_or(0);
        let thousandfold = tokens(usage.input_tokens) * self.input
            + tokens(usage.output_tokens) * self.output
            + tokens(usage.cache_write_input_tokens.unwrap_or(0)) * self.cache_write
            + tokens(usage.cache_read_input_tokens.unwrap_or(0)) * self.cache_read;
        MicroUsd(thousandfold.div_ceil(1000))
    }

    /// The most a call can cost: every input token at the dearest input price, every output
    /// token that `maxTokens` allows.
    pub fn worst_case(&self, input_tokens: u64, max_tokens: u64) -> MicroUsd {
        let dearest_input = self.input.max(self.cache_write);
        MicroUsd((input_tokens * dearest_input + max_tokens * self.output).div_ceil(1000))
    }
}

// region: budget
/// Money that may be spent. Shared by all tasks of one process.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    /// Spent and reserved together: one number, so that no two tasks can both see the last cent.
    committed: AtomicU64,
}

/// Money set aside for one call. Dropped without a word it counts as spent: nobody knows whether
/// an abandoned call ran.
#[must_use = "settle or release it, or the worst case counts as spent"]
#[derive(Debug)]
pub struct Reservation<'a> {
    budget: &'a Budget,
    amount: u64,
}

impl Budget {
    /// A budget of which nothing is spent yet.
    pub fn new(limit: MicroUsd) -> Self {
        Self {
            limit: limit.0,
            committed: AtomicU64::new(0),
        }
    }

    /// Sets the worst case of one call aside, or refuses the call.
    pub fn reserve(&self, worst: MicroUsd) -> Result<Reservation<'_>, OverBudget> {
        let fits = |committed: u64| {
            let sum = committed.checked_add(worst.0)?;
            (sum <= self.limit).then_some(sum)
        };
        match self
            .committed
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
        {
            Ok(_) => Ok(Reservation {
                budget: self,
                amount: worst.0,
            }),
            Err(committed) => Err(OverBudget {
                wanted: worst,
                left: MicroUsd(self.limit.saturating_sub(committed)),
            }),
        }
    }
}

impl Reservation<'_> {
    /// The call is over and this is what it cost.
    pub fn settle(self, actual: MicroUsd) {
        let committed = &self.budget.committed;
        // In this order: for a moment too much is committed, never too little.
        committed.fetch_add(actual.0, Ordering::Relaxed);
        committed.fetch_sub(self.amount, Ordering::Relaxed);
    }

    /// The call was refused; no tokens were used.
    pub fn release(self) {
        self.settle(MicroUsd(0));
    }
}
// endregion: budget

impl Budget {
    /// Spent and reserved so far.
    pub fn committed(&self) -> MicroUsd {
        MicroUsd(self.committed.load(Ordering::Relaxed))
    }
}

/// The call would break the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverBudget {
    /// The call's worst case.
    pub wanted: MicroUsd,
    /// What is neither spent nor reserved.
    pub left: MicroUsd,
}

/// Why a call within a budget brought nothing.
#[derive(Debug)]
pub enum SpendError {
    /// It was not made.
    OverBudget(OverBudget),
    /// It failed.
    Ask(AskError),
}

// region: within
/// Asks only if the worst case still fits into the budget.
pub async fn ask_within(
    client: &Client,
    budget: &Budget,
    price: &Price,
    model: &str,
    prompt: &str,
    input_tokens: u32, // from CountTokens
    max_tokens: u16,
) -> Result<Reply, SpendError> {
    let worst = price.worst_case(input_tokens.into(), max_tokens.into());
    let reserved = budget.reserve(worst).map_err(SpendError::OverBudget)?;
    match ask(client, model, prompt, max_tokens.into()).await {
        Ok(reply) => {
            reserved.settle(price.of(&reply.usage));
            Ok(reply)
        }
        Err(error) => {
            // Bedrock's own refusal carries no usage. After a timeout or a cut connection the
            // model may have run: then the worst case stays spent.
            if matches!(&error, AskError::Sdk(e) if matches!(**e, SdkError::ServiceError(_))) {
                reserved.release();
            }
            Err(SpendError::Ask(error))
        }
    }
}
// endregion: within

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wanted, left) = (self.wanted.0, self.left.0);
        write!(
            f,
            "the call may cost {wanted} micro-USD, {left} are left in the budget"
        )
    }
}

impl Error for OverBudget {}

impl fmt::Display for SpendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OverBudget(_) => f.write_str("the call was not made"),
            Self::Ask(_) => f.write_str("the call was made and failed"),
        }
    }
}

impl Error for SpendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::OverBudget(e) => Some(e),
            Self::Ask(e) => Some(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_bedrockruntime::types::TokenUsage;
    use workshop_testkit::{Fault, Lab, Piece, Step};

    use super::{Budget, MicroUsd, OverBudget, Price, SpendError, ask_within};

    /// Made-up prices, so that no test depends on today's.
    const PRICE: Price = Price {
        input: 1_000,
        output: 5_000,
        cache_write: 1_250,
        cache_read: 100,
    };

    #[test]
    fn every_kind_of_token_has_its_price_and_cents_are_rounded_up() {
        let usage = TokenUsage::builder()
            .input_tokens(10)
            .output_tokens(20)
            .cache_write_input_tokens(100)
            .cache_read_input_tokens(1_001)
            .total_tokens(1_131)
            .build()
            .unwrap();
        // 10 + 100 + 125 + 100.1
        assert_eq!(PRICE.of(&usage), MicroUsd(336));
        assert_eq!(PRICE.worst_case(100, 20), MicroUsd(225));
    }

    #[test]
    fn many_threads_cannot_reserve_more_than_there_is() {
        let budget = Budget::new(MicroUsd(1_000));
        let granted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let tries = (0..50).map(|_| budget.reserve(MicroUsd(7)));
                        tries.flatten().count()
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(granted, 142);
        assert_eq!(budget.committed(), MicroUsd(994));
    }

    #[test]
    fn settling_gives_the_rest_back_and_forgetting_gives_nothing_back() {
        let budget = Budget::new(MicroUsd(100));
        budget.reserve(MicroUsd(90)).unwrap().settle(MicroUsd(30));
        assert_eq!(budget.committed(), MicroUsd(30));
        budget.reserve(MicroUsd(70)).unwrap().release();
        assert_eq!(budget.committed(), MicroUsd(30));
        drop(budget.reserve(MicroUsd(60)));
        assert_eq!(
            budget.reserve(MicroUsd(11)).unwrap_err(),
            OverBudget {
                wanted: MicroUsd(11),
                left: MicroUsd(10),
            }
        );
        assert_eq!(
            Budget::new(MicroUsd(1))
                .reserve(MicroUsd(u64::MAX))
                .unwrap_err()
                .left,
            MicroUsd(1)
        );
    }

    #[tokio::test]
    async fn a_call_that_does_not_fit_never_leaves_the_process() {
        let lab = Lab::start().await;
        lab.script([
            Step::Fault(Fault::AccessDenied),
            Step::Say(vec![
                Piece::Text("Hello".into()),
                Piece::Usage {
                    input: 100,
                    output: 4,
                },
            ]),
        ]);
        let (client, model) = (lab.client(), lab.profile("haiku"));
        let budget = Budget::new(MicroUsd(300));
        let call = || ask_within(&client, &budget, &PRICE, &model, "Hello", 100, 20);

        assert!(matches!(call().await, Err(SpendError::Ask(_))));
        assert_eq!(budget.committed(), MicroUsd(0), "a refusal costs nothing");

        call().await.unwrap();
        assert_eq!(budget.committed(), MicroUsd(120), "not the worst case, 225");

        assert!(matches!(call().await, Err(SpendError::OverBudget(_))));
        assert_eq!(lab.calls().len(), 2);
    }
}
