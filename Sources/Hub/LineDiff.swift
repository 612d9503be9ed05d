// SPDX-License-Identifier: Apache-2.0
// Two texts compared line by line.

/// A line of a comparison.
package struct DiffLine: Sendable, Hashable {
    /// What became of it.
    package enum Kind: String, Sendable {
        case same, gone, new
        /// Lines that are equal in both and left out.
        case skipped
    }

    /// What became of it.
    package let kind: Kind
    /// The line; of those left out, how many.
    package let text: String

    /// Compares two texts; of equal lines, those within `context` lines of a difference are kept.
    package static func compare(_ old: String, _ new: String, context: Int = 3) -> [DiffLine] {
        let (before, after) = (lines(old), lines(new))
        let (gone, made) = changes(before, after)
        var all: [DiffLine] = []
        var (left, right) = (0, 0)
        while left < before.count || right < after.count {
            if gone.contains(left) {
                all.append(DiffLine(kind: .gone, text: before[left]))
                left += 1
            } else if made.contains(right) {
                all.append(DiffLine(kind: .new, text: after[right]))
                right += 1
            } else {
                all.append(DiffLine(kind: .same, text: after[right]))
                (left, right) = (left + 1, right + 1)
            }
        }
        return shortened(all, context)
    }

    /// The numbers of the lines that went and of those that came.
    private static func changes(_ before: [String], _ after: [String]) -> (gone: Set<Int>, made: Set<Int>) {
        let head = zip(before, after).prefix { $0 == $1 }.count
        let rest = min(before.count, after.count) - head
        let tail = zip(before.reversed(), after.reversed()).prefix(rest).prefix { $0 == $1 }.count
        let (left, right) = (head..<before.count - tail, head..<after.count - tail)
        // The comparison takes the square of what differs: of very much, all is different.
        guard left.count + right.count <= 4000 else { return (Set(left), Set(right)) }
        let difference = Array(after[right]).difference(from: Array(before[left]))
        func offset(_ change: CollectionDifference<String>.Change) -> Int {
            switch change {
            case .remove(let offset, _, _), .insert(let offset, _, _): head + offset
            }
        }
        return (Set(difference.removals.map(offset)), Set(difference.insertions.map(offset)))
    }

    private static func lines(_ text: String) -> [String] {
        let parts = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return parts.last == "" ? parts.dropLast() : parts
    }

    private static func shortened(_ lines: [DiffLine], _ context: Int) -> [DiffLine] {
        let changes = lines.indices.filter { lines[$0].kind != .same }
        var near = [Bool](repeating: false, count: lines.count)
        for change in changes {
            for index in max(0, change - context)..<min(lines.count, change + context + 1) {
                near[index] = true
            }
        }
        var shown: [DiffLine] = []
        var skipped = 0
        func tell() {
            if skipped > 0 { shown.append(DiffLine(kind: .skipped, text: String(skipped))) }
            skipped = 0
        }
        for (line, isNear) in zip(lines, near) {
            if isNear {
                tell()
                shown.append(line)
            } else {
                skipped += 1
            }
        }
        tell()
        return shown
    }
}
