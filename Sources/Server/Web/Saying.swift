// SPDX-License-Identifier: Apache-2.0
// Values as a page of this moment says them.

internal import Model
internal import Words

/// The texts of a language, the moment and the zone of a page.
struct Saying: Sendable {
    let words: Words
    let now: Timestamp
    let zone: String

    /// `lun. 23 nov. 2026 à 14:05`.
    func moment(_ time: Timestamp) -> String { words.moment(time, in: zone) }
    /// `14:05`, `lun. 23 nov., 06:31`.
    func momentShort(_ time: Timestamp) -> String { words.momentShort(time, now: now, in: zone) }
    /// `il y a 4 s`.
    func ago(_ time: Timestamp) -> String { words.ago(time, now: now, in: zone) }
    /// `12 168`.
    func number(_ value: Int) -> String { words.number(value) }
    /// A value as records hold it, in the form of the language: days and decimals; any other text as it is.
    func value(_ text: String) -> String {
        if let match = text.wholeMatch(of: #/(\d{4})-(\d{2})-(\d{2})/#),
            let year = Int(match.output.1), let month = Int(match.output.2), let day = Int(match.output.3),
            let date = CalendarDate(year: year, month: month, day: day)
        {
            return words.date(date)
        }
        guard text.wholeMatch(of: #/-?\d{1,15}\.\d{1,6}/#) != nil, let number = Decimal(text) else {
            return text
        }
        return String(words.amount(number, "").dropLast())
    }
}
