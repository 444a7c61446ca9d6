def outbound: direction // "" | test("out"; "i");
def internal: direction // "" | test("internal"; "i");
def started: told_started // told_answered // told_ended;
def queued: plus(started; ivr // 0);
def taken: (talk // 0) > 0 or (talk == null and told_answered != null);
def answered: told_answered // plus(queued; (wait // 0) + (ring // 0));
def left: if talk != null then plus(answered; talk) else told_ended // plus(started; length_told) // answered end;
def ended: told_ended // plus(started; length_told) // left;
def abandoned: told_abandoned // (raw // "" | test("abandon|hang|hung"; "i"));
def queued_at_all: queue != null and (outbound | not);
def stay_ended: if taken or wait != null then answered else ended end;
def outcome: if taken then "answered" elif abandoned then "abandoned" else raw // "" |
    if test("time.?out"; "i") then "timeout"
    elif test("overflow"; "i") then "overflow"
    elif test("voice.?mail"; "i") then "voicemail"
    elif test("callback"; "i") then "callback"
    elif test("transfer|forward"; "i") then "transferred"
    else "unknown" end end;
