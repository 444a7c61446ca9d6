//! The closed vocabularies of our events, each word once, as text, in JSON and in the schema.

macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $vdoc:literal])? $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $( #[doc = concat!("`", $text, "`")] $(#[doc = $vdoc])? #[serde(rename = $text)] $variant, )+
        }
        impl $name {
            /// Every word.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The word as text.
            pub fn as_str(self) -> &'static str {
                match self { $( $name::$variant => $text, )+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// How a customer and the centre meet.
    Channel {
        Voice = "voice", Video = "video", Chat = "chat", Sms = "sms", Whatsapp = "whatsapp",
        Email = "email", Task = "task", Social = "social", Other = "other",
    }
}

words! {
    /// Direction, seen from the contact centre.
    Direction { Inbound = "inbound", Outbound = "outbound", Internal = "internal" }
}

words! {
    /// Who ended something.
    EndedBy {
        Customer = "customer", Agent = "agent", System = "system", Platform = "platform",
        Unknown = "unknown",
    }
}

words! {
    /// Kinds of segments.
    SegmentKind {
        Menu = "menu", Bot = "bot", Queue = "queue", Offer = "offer", Dial = "dial",
        Talk = "talk", Hold = "hold", Park = "park", Monitor = "monitor", Share = "share",
        Wrapup = "wrapup", Voicemail = "voicemail", Callback = "callback", Message = "message",
    }
}

words! {
    /// Where a redirection leads.
    TargetKind {
        Disconnect = "disconnect", Person = "person", VoiceApp = "voice_app",
        External = "external", SharedVoicemail = "shared_voicemail",
        Announcement = "announcement", Queue = "queue", Agent = "agent", Bot = "bot",
        Other = "other",
    }
}

words! {
    /// What a planned activity asks of an agent.
    PlanClass {
        /// Ready for contacts, or with one.
        Available = "available",
        /// Break, training, meeting.
        Paused = "paused",
        Offline = "offline",
    }
}

words! {
    /// How a customer answered a menu.
    InputType { Dtmf = "dtmf", Speech = "speech", Directory = "directory" }
}

words! {
    /// Relation of two contacts.
    LinkKind {
        Same = "same", Transfer = "transfer", Conference = "conference", Consult = "consult",
        Callback = "callback", Retry = "retry",
    }
}

words! {
    /// What an agent's state is about.
    Track {
        Presence = "presence", Membership = "membership", Pause = "pause", Device = "device",
    }
}

words! {
    /// State of an agent.
    AgentState {
        Offline = "offline", Available = "available", Reserved = "reserved", Busy = "busy",
        Wrapup = "wrapup", Paused = "paused", Member = "member", Break = "break",
        Training = "training", Meeting = "meeting", Missed = "missed", Unknown = "unknown",
        Other = "other",
    }
}

words! {
    /// State of a recording.
    RecordingState {
        Active = "active", Paused = "paused", Ready = "ready", Absent = "absent",
        Failed = "failed", Deleted = "deleted",
    }
}

words! {
    /// Leg of a recording.
    Leg { Agent = "agent", Customer = "customer", Both = "both", Mixed = "mixed" }
}

words! {
    /// What a survey asks for.
    SurveyKind { Csat = "csat", Nps = "nps", Ces = "ces", Fcr = "fcr", Text = "text" }
}

words! {
    /// Service level formulas.
    Variant {
        Answered = "answered", AnsAbn = "ans_abn", AnsAbnShort = "ans_abn_short",
        NoAbandon = "no_abandon", PositiveAbandon = "positive_abandon", Offered = "offered",
        AnsAbnFlow = "ans_abn_flow", Removed = "removed",
    }
}

/// Outcomes that each kind of segment can have; a platform's own word stands in `raw_outcome`.
pub fn outcomes(kind: SegmentKind) -> &'static [&'static str] {
    match kind {
        SegmentKind::Menu => &[
            "selected",
            "timeout",
            "invalid",
            "hangup",
            "transferred",
            "error",
        ],
        SegmentKind::Bot => &["contained", "escalated", "hangup", "timeout", "error"],
        SegmentKind::Queue => &[
            "answered",
            "abandoned",
            "timeout",
            "no_agents",
            "refused",
            "overflow",
            "key_exit",
            "transferred",
            "callback",
            "voicemail",
            "withdrawn",
            "error",
            "unknown",
        ],
        SegmentKind::Offer => &[
            "accepted",
            "no_answer",
            "declined",
            "busy",
            "unreachable",
            "caller_left",
            "taken_elsewhere",
            "error",
        ],
        SegmentKind::Dial => &[
            "answered",
            "busy",
            "no_answer",
            "failed",
            "machine",
            "canceled",
        ],
        SegmentKind::Talk => &["completed", "transferred", "left", "dropped"],
        SegmentKind::Hold => &["resumed", "hangup", "transferred"],
        SegmentKind::Park => &["retrieved", "timeout", "hangup"],
        SegmentKind::Monitor | SegmentKind::Share => &["ended"],
        SegmentKind::Wrapup => &["completed", "timeout", "skipped"],
        SegmentKind::Voicemail => &["left", "empty", "hangup"],
        SegmentKind::Callback => &["dialled", "expired", "canceled"],
        SegmentKind::Message => &["sent", "delivered", "read", "failed"],
    }
}
