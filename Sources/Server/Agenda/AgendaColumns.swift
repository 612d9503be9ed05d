// SPDX-License-Identifier: Apache-2.0
// Things at the same time stand side by side.

/// Places the events of one day in columns.
enum AgendaColumns {
    /// Where an event stands.
    struct Place: Hashable, Sendable {
        /// From 1 on.
        let column: Int
        /// Whether nothing stands to its right.
        let isLast: Bool
    }

    /// The column of each event, and how many there are.
    ///
    /// - Parameter spans: quarters of an hour since midnight, in the order of their beginnings.
    static func place(_ spans: [Range<Int>]) -> (places: [Place], count: Int) {
        var columns = [Int](repeating: 1, count: spans.count)
        var clusters: [Range<Int>] = []
        // Ends of the columns of events that overlap, directly or by others.
        var ends: [Int] = []
        var start = 0
        for (index, span) in spans.enumerated() {
            if ends.allSatisfy({ $0 <= span.lowerBound }) {
                if index > start { clusters.append(start..<index) }
                (start, ends) = (index, [])
            }
            let column = ends.firstIndex { $0 <= span.lowerBound } ?? ends.count
            if column == ends.count { ends.append(0) }
            ends[column] = span.upperBound
            columns[index] = column + 1
        }
        clusters.append(start..<spans.count)
        var places: [Place] = []
        for cluster in clusters {
            for index in cluster {
                let isLast = !cluster.contains {
                    columns[$0] > columns[index] && spans[$0].overlaps(spans[index])
                }
                places.append(Place(column: columns[index], isLast: isLast))
            }
        }
        return (places, columns.max() ?? 1)
    }
}
