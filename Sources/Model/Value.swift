// SPDX-License-Identifier: Apache-2.0
// The typed values that a record's fields hold.

/// One typed value of a record.
package enum Value: Sendable, Hashable, CustomStringConvertible {
    case text(String)
    case decimal(Decimal)
    case integer(Int)
    case date(CalendarDate)
    case timestamp(Timestamp)
    case boolean(Bool)

    /// The value as text: ISO dates, point decimals, `true` and `false`.
    package var description: String {
        switch self {
        case .text(let text): text
        case .decimal(let decimal): decimal.description
        case .integer(let integer): String(integer)
        case .date(let date): date.description
        case .timestamp(let timestamp): timestamp.description
        case .boolean(let boolean): boolean ? "true" : "false"
        }
    }

    /// The text, when that is what it is.
    package var text: String? { if case .text(let text) = self { text } else { nil } }
    /// The decimal, or the integer as one.
    package var decimal: Decimal? {
        switch self {
        case .decimal(let decimal): decimal
        case .integer(let integer): Decimal(integer)
        default: nil
        }
    }
    /// The date, when that is what it is.
    package var date: CalendarDate? { if case .date(let date) = self { date } else { nil } }
}

/// The type a field's source text is read as.
package enum ValueType: String, Sendable, CaseIterable, BitwiseCopyable {
    case string, decimal, int, date, datetime, bool, currency
}
