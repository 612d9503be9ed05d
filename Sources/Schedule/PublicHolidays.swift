// SPDX-License-Identifier: Apache-2.0
// French public holidays, computed for any year.

package import Model

/// Days on which offices are closed.
///
/// - Source: Code du travail, art. L3133-1; for Alsace and Moselle art. L3134-13.
package enum PublicHolidays: String, Sendable, CaseIterable {
    /// Metropolitan France.
    case france = "FR"
    /// The same with Good Friday and 26 December.
    case alsaceMoselle = "FR-ALSACE-MOSELLE"

    /// Whether a day is one of them.
    package func contains(_ date: CalendarDate) -> Bool {
        let (year, month, day) = date.parts
        if Self.fixed.contains(month * 100 + day) { return true }
        if self == .alsaceMoselle, month == 12, day == 26 { return true }
        // Easter Monday, Ascension, Whit Monday.
        let sinceEaster = date.daysSince1970 - Self.easter(year).daysSince1970
        return [1, 39, 50].contains(sinceEaster) || self == .alsaceMoselle && sinceEaster == -2
    }

    /// 1 January, 1 and 8 May, 14 July, 15 August, 1 and 11 November, 25 December, as month and day.
    private static let fixed: Set = [101, 501, 508, 714, 815, 1101, 1111, 1225]

    /// Easter Sunday of a year of the Gregorian calendar.
    ///
    /// - Source: the anonymous algorithm of Nature 13 (1876), as in Meeus, Astronomical Algorithms, chapter 8.
    static func easter(_ year: Int) -> CalendarDate {
        let golden = year % 19
        let (century, yearOfCentury) = (year / 100, year % 100)
        let correction = (century + 8) / 25
        let moon = (century - correction + 1) / 3
        let epact = (19 * golden + century - century / 4 - moon + 15) % 30
        let weekday = (32 + 2 * (century % 4) + 2 * (yearOfCentury / 4) - epact - yearOfCentury % 4) % 7
        let late = (golden + 11 * epact + 22 * weekday) / 451
        let sum = epact + weekday - 7 * late + 114
        let date = CalendarDate(year: year, month: sum / 31, day: sum % 31 + 1)
        // Easter is always between 22 March and 25 April.
        return date ?? CalendarDate(daysSince1970: 0)
    }
}
