// SPDX-License-Identifier: Apache-2.0
// Values as a page of this moment says them.

internal import Diagnostics
internal import Foundation
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
    /// `14:05`.
    func clock(_ time: Timestamp) -> String { String(words.clock(time, in: zone).prefix(5)) }
    /// `il y a 4 s`.
    func ago(_ time: Timestamp) -> String { words.ago(time, now: now, in: zone) }
    /// When a day begins.
    func midnight(of day: CalendarDate) -> Timestamp {
        let local = day.daysSince1970 * 86_400
        func offset(_ seconds: Int) -> Int {
            let date = Date(timeIntervalSince1970: Double(seconds))
            return TimeZone(identifier: zone)?.secondsFromGMT(for: date) ?? 0
        }
        let guess = local - offset(local)
        return Timestamp(microsecondsSince1970: Int64(local - offset(guess)) * 1_000_000)
    }

    /// `2026-11-28`, as browsers send it, or `28/11/2026`, as people write it.
    ///
    /// - Throws: `HTTP-DATE`.
    static func day(_ text: String, field: String) throws(ServerError) -> CalendarDate {
        var parts: [Int?] = []
        if let match = text.wholeMatch(of: #/(\d{4})-(\d{2})-(\d{2})/#) {
            parts = [Int(match.output.1), Int(match.output.2), Int(match.output.3)]
        } else if let match = text.wholeMatch(of: #/(\d{1,2})\/(\d{1,2})\/(\d{4})/#) {
            parts = [Int(match.output.3), Int(match.output.2), Int(match.output.1)]
        }
        guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2],
            let date = CalendarDate(year: year, month: month, day: day)
        else { throw ServerError(.date, at: Place(field: field, value: text)) }
        return date
    }

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
