// SPDX-License-Identifier: Apache-2.0
// Sums and comparisons of plain amounts and dates in registers, which is what nearly all conditions are.

internal import Model

/// A number of few digits, or a day, while an expression is evaluated; or none, where only the long way knows.
///
/// The quick way gives the long way's result or none at all.
struct QuickNumber: BitwiseCopyable {
    /// The number without its point.
    private let digits: Int64
    /// Digits behind the point; 0…38, or what follows.
    private let scale: Int64

    private static let day: Int64 = 100
    private static let unknownScale: Int64 = -1
    static let unknown = QuickNumber(digits: 0, scale: unknownScale)
    /// Numbers of so many digits can be added twice and brought to two more digits behind the point.
    private static let limit: Int64 = 1_000_000_000_000_000

    private init(digits: Int64, scale: Int64) {
        self.digits = digits
        self.scale = scale
    }

    @inline(__always)
    init(_ cell: Cell) {
        switch cell {
        case .decimal(let decimal):
            guard let small = decimal.small, small.magnitude < Self.limit else {
                self = .unknown
                return
            }
            self.init(digits: small, scale: Int64(decimal.scale))
        case .date(let date): self.init(digits: Int64(date.daysSince1970), scale: Self.day)
        default: self = .unknown
        }
    }

    private var isNumber: Bool { scale >= 0 && scale != Self.day }

    var magnitude: QuickNumber {
        isNumber ? QuickNumber(digits: abs(digits), scale: scale) : .unknown
    }

    /// The sum, or with `sign` −1 the difference.
    @inline(__always)
    func adding(_ other: QuickNumber, sign: Int64) -> QuickNumber {
        guard isNumber, other.isNumber else { return .unknown }
        var (left, right, scale) = (digits, other.digits, scale)
        if scale != other.scale {
            guard let aligned = aligned(with: other) else { return .unknown }
            (left, right, scale) = (aligned.0, aligned.1, max(scale, other.scale))
        }
        let sum = left &+ right &* sign
        return sum.magnitude < Self.limit ? QuickNumber(digits: sum, scale: scale) : .unknown
    }

    /// Both numbers' digits with as many behind the point; nil where they are too far apart for few digits.
    private func aligned(with other: QuickNumber) -> (Int64, Int64)? {
        switch scale - other.scale {
        case 0: (digits, other.digits)
        case 1: (digits, other.digits * 10)
        case 2: (digits, other.digits * 100)
        case -1: (digits * 10, other.digits)
        case -2: (digits * 100, other.digits)
        default: nil
        }
    }

    /// −1, 0 or 1; nil where only the long way knows.
    @inline(__always)
    func order(to other: QuickNumber) -> Int? {
        if scale == other.scale {
            guard scale >= 0 else { return nil }
            return digits < other.digits ? -1 : digits == other.digits ? 0 : 1
        }
        guard isNumber, other.isNumber else { return nil }
        if other.digits == 0 { return Int(digits.signum()) }
        guard let (left, right) = aligned(with: other) else { return nil }
        return left < right ? -1 : left == right ? 0 : 1
    }
}

extension RecordProgram {
    /// Whether a comparison of the record's own fields holds; nil where only the long way knows.
    func quickTruth(_ node: Int32, _ cells: [Cell]) -> Bool? {
        guard takesShortWay, case .binary(let operation, let left, let right) = nodes[Int(node)] else {
            return nil
        }
        switch operation {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: break
        default: return nil
        }
        let order = quickNumber(left, cells).order(to: quickNumber(right, cells))
        // No `map`, which would allocate a closure.
        if let order { return operation.holds(order) }
        return nil
    }

    private func quickNumber(_ node: Int32, _ cells: [Cell]) -> QuickNumber {
        switch nodes[Int(node)] {
        case .constant(let cell): QuickNumber(cell)
        case .field(let slot): QuickNumber(cells[Int(slot)])
        case .binary(let operation, let left, let right) where operation == .add || operation == .subtract:
            quickNumber(left, cells).adding(
                quickNumber(right, cells), sign: operation == .add ? 1 : -1)
        case .call(.abs, let start, _): quickNumber(links[Int(start)], cells).magnitude
        default: .unknown
        }
    }
}
