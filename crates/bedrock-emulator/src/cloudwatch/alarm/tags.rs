//! `TagResource`, `UntagResource` and `ListTagsForResource`, of alarms.

use std::collections::BTreeMap;

use super::{Alarm, Alarms};
use crate::{
    cloudwatch::{Input, Shape, invalid, missing, wire},
    error::{ApiError, Code},
    service::{Call, Permission, Plain, Route},
};

/// As many tags as a resource may have (API reference).
const TAGS_MAX: usize = 50;

pub(in crate::cloudwatch) const TAG: Plain = Plain {
    name: "TagResource",
    route: Route::CloudWatch("TagResource"),
    permission: on_resource("cloudwatch:TagResource"),
    answer: |call| wire::answer(call, "TagResource", |input| tag(call, input)),
};

pub(in crate::cloudwatch) const UNTAG: Plain = Plain {
    name: "UntagResource",
    route: Route::CloudWatch("UntagResource"),
    permission: on_resource("cloudwatch:UntagResource"),
    answer: |call| wire::answer(call, "UntagResource", |input| untag(call, input)),
};

pub(in crate::cloudwatch) const LIST: Plain = Plain {
    name: "ListTagsForResource",
    route: Route::CloudWatch("ListTagsForResource"),
    permission: on_resource("cloudwatch:ListTagsForResource"),
    answer: |call| wire::answer(call, "ListTagsForResource", |input| list(call, input)),
};

#[expect(
    clippy::unnecessary_wraps,
    reason = "a row of operations takes an option"
)]
const fn on_resource(action: &'static str) -> Option<Permission> {
    Some(Permission {
        action,
        resource: |call| wire::member(call, "ResourceARN").unwrap_or_else(|| "*".to_owned()),
    })
}

/// The `Tags` of a request.
pub(super) fn read(input: Input<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let tags = input.list("Tags").into_iter().map(|tag| {
        let value = tag
            .text("Value")?
            .ok_or_else(|| missing("Tags.member.1.Value"))?;
        Ok((tag.required("Key")?.to_owned(), value.to_owned()))
    });
    let tags = tags.collect::<Result<BTreeMap<_, _>, ApiError>>()?;
    fits(&tags)?;
    Ok(tags)
}

fn fits(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("A resource has at most {TAGS_MAX} tags.")));
    }
    Ok(())
}

fn tag(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let new = read(input)?;
    let mut state = call.account.state();
    let alarm = alarm(&mut state.alarms, input)?;
    let mut tags = alarm.tags.clone();
    tags.extend(new);
    fits(&tags)?;
    alarm.tags = tags;
    Ok(Shape::Members(Vec::new()))
}

fn untag(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let keys = input.texts("TagKeys");
    let mut state = call.account.state();
    let alarm = alarm(&mut state.alarms, input)?;
    alarm.tags.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(Shape::Members(Vec::new()))
}

fn list(call: &Call<'_>, input: Input<'_>) -> Result<Shape, ApiError> {
    let mut state = call.account.state();
    let alarm = alarm(&mut state.alarms, input)?;
    let tags = alarm.tags.iter().map(|(key, value)| {
        Shape::Members(vec![
            ("Key", key.as_str().into()),
            ("Value", value.as_str().into()),
        ])
    });
    Ok(Shape::Members(vec![("Tags", Shape::List(tags.collect()))]))
}

fn alarm<'a>(alarms: &'a mut Alarms, input: Input<'_>) -> Result<&'a mut Alarm, ApiError> {
    let arn = input.required("ResourceARN")?;
    let mut all = alarms.all.values_mut();
    all.find(|alarm| alarm.arn == arn).ok_or_else(|| {
        ApiError::bedrock(
            Code::ResourceNotFound,
            format!("Unknown resource {arn}: this emulator tags alarms only."),
        )
    })
}
