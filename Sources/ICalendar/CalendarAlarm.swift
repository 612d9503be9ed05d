// SPDX-License-Identifier: Apache-2.0
// When somebody is to be reminded.

/// A VALARM.
///
/// - Source: RFC 5545, 3.6.6; ACKNOWLEDGED by RFC 9074, 6.
package struct CalendarAlarm: Hashable, Sendable {
    /// When it goes off.
    package enum Trigger: Hashable, Sendable {
        /// So long after the beginning (mostly negative).
        case fromStart(CalendarDuration)
        /// So long after the end, or after a task is due.
        case fromEnd(CalendarDuration)
        /// At a time of UTC.
        case at(WallTime)
    }

    /// `DISPLAY`, `AUDIO`, `EMAIL`, or what else was written, in upper case.
    package let action: String
    /// When it goes off.
    package let trigger: Trigger
    /// What is shown.
    package let text: String?
    /// When it was dismissed, of UTC.
    package let acknowledged: WallTime?

    /// An alarm that shows a text.
    package init(_ trigger: Trigger, text: String) {
        action = "DISPLAY"
        self.trigger = trigger
        self.text = text
        acknowledged = nil
    }

    /// The alarm of a component; nil where it has no trigger that is understood.
    init?(_ component: Component) {
        guard let line = component["TRIGGER"] else { return nil }
        if line["VALUE"]?.uppercased() == "DATE-TIME" {
            guard case .utc(let time)? = CalendarMoment(line.value) else { return nil }
            trigger = .at(time)
        } else {
            guard let duration = CalendarDuration(line.value) else { return nil }
            trigger = line["RELATED"]?.uppercased() == "END" ? .fromEnd(duration) : .fromStart(duration)
        }
        action = component["ACTION"]?.value.trimmingBlanks.uppercased() ?? "DISPLAY"
        text = (component["DESCRIPTION"] ?? component["SUMMARY"])?.text
        acknowledged = component["ACKNOWLEDGED"].flatMap { CalendarMoment($0.value)?.wall }
    }
}
