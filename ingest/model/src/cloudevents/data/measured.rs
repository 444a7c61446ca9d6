//! What was measured and judged, what platforms count themselves, what is known of customers, what
//! was planned for agents, and which numbers were taken for hand-overs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::words::PlanClass;
use super::{Attributes, entity};

entity! {
    /// Measurements on a contact: `callboard.measurement.recorded`. What WebRTC's `getStats` gives
    /// can be sent as it is: its members stand in `values` under their own names.
    MeasurementData {
        /// Contact: its id, a former id or a platform's id. Required.
        contact_id: String,
        /// Whose side: an agent, `customer`, or a stream of theirs.
        participant: String,
        /// When, or the end of the span that is summed up; the event's time when missing.
        at: String,
        /// Segment that it belongs to.
        segment_id: String,
        /// Names to numbers. Required. Known names and members of `getStats` get our names and
        /// units; others stay as they are.
        values: BTreeMap<String, f64>,
        /// Units of names that are not known.
        units: BTreeMap<String, String>,
        /// Softphone or browser, with its version.
        client: String,
        /// Headset, microphone or speaker.
        device: String,
        /// Kind of network: wifi, ethernet, vpn, cellular ...
        network: String,
        /// Vendor of the virtual desktop that it ran in.
        vdi: String,
    }
}

entity! {
    /// Figures that a platform computed itself: `callboard.figure.recorded`.
    FigureData {
        /// What they are of: `queue:NAME`, `agent:NAME`, other words; all when missing.
        scope: String,
        /// Start of the span; a picture of one moment when missing.
        start: String,
        /// End of the span, or the moment; the event's time when missing.
        end: String,
        /// The platform's names to numbers. Required.
        values: BTreeMap<String, f64>,
        /// Units: percent, s, ms, count ...
        units: BTreeMap<String, String>,
    }
}

entity! {
    /// An evaluation: `callboard.evaluation.recorded`. Told again it replaces the former.
    EvaluationData {
        /// Identity. Required.
        evaluation_id: String,
        /// Contact that was evaluated.
        contact_id: String,
        /// Agent who was evaluated.
        agent: String,
        /// Who evaluated.
        evaluator: String,
        /// Form.
        form: String,
        /// Score of the whole.
        score: f64,
        /// Greatest possible score of the whole.
        max: f64,
        /// Remark on the whole.
        remark: String,
        /// When it was handed in; the event's time when missing.
        at: String,
        /// Questions.
        answers: Vec<AnswerData>,
    }
}

/// A question of an evaluation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerData {
    /// Identity of the question within the form.
    pub question_id: String,
    /// Section of the form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Greatest possible score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

entity! {
    /// What is known of a customer since some time: `callboard.customer.recorded`.
    CustomerData {
        /// The customer's address as contacts have it. Required.
        customer: String,
        /// Attributes. Required; null withdraws one.
        attributes: Attributes,
        /// From when; always when missing.
        valid_from: String,
        /// Until when, exclusive; still when missing.
        valid_to: String,
    }
}

entity! {
    /// A planned activity of an agent: `callboard.schedule.recorded`. Told again it replaces the
    /// former.
    ScheduleData {
        /// Identity; source, agent and start when missing.
        schedule_id: String,
        /// Agent. Required.
        agent: String,
        /// Activity in the planner's own word.
        activity: String,
        /// What the agent is to be meanwhile; available when missing.
        class: PlanClass,
        /// Start. Required.
        start: String,
        /// End. Required.
        end: String,
        /// Paid time.
        paid: bool,
        /// It is not planned any more.
        withdrawn: bool,
    }
}

entity! {
    /// A number of a pool that is taken to hand a contact over to another system:
    /// `callboard.lease.recorded`. Told again it adds what was not known, such as the release.
    LeaseData {
        /// Identity; source, number and time of allocation when missing.
        lease_id: String,
        /// The number. Required.
        number: String,
        /// The contact for which it is taken: its id, a former id or a platform's id.
        contact_id: String,
        /// Address of its customer.
        customer: String,
        /// When the number is taken. Required.
        allocated_at: String,
        /// When the contact is transferred to it.
        transferred_at: String,
        /// When the number is free again.
        released_at: String,
        /// When it is free again at the latest.
        expires_at: String,
    }
}
