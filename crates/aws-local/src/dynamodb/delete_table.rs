//! `DeleteTable`: a table and its items, gone at once.

use bedrock_emulator::{error::ApiError, neighbour::Visit};
use serde_json::{Value as Json, json};

use super::{
    DynamoDb, definition::described, describe_table::OneTable, error::validation, members,
    store::table_name,
};

pub(super) fn answer(service: &DynamoDb, visit: &Visit) -> Result<Json, ApiError> {
    let asked: OneTable = members(visit)?;
    let name = table_name(asked.table_name, visit)?;
    service.store.of(visit, |place| {
        let table = place.described(&name)?;
        if table.deletion_protection {
            return Err(validation(
                "Resource cannot be deleted as it is currently protected against deletion. Disable \
                 deletion protection first.",
            ));
        }
        let answer = json!({ "TableDescription": described(table, "DELETING") });
        place.tables.remove(&name);
        Ok(answer)
    })
}
