// SPDX-License-Identifier: Apache-2.0
// How much a document may hold before it is refused.

/// Bounds on what a reader takes, against documents that are made to exhaust a server.
package struct ContentLimits: Sendable {
    /// Bytes of the document.
    package var bytes: Int
    /// Content lines of the document.
    package var lines: Int
    /// Components inside each other; RFC 5545 and its extensions need five.
    package var depth: Int

    /// Limits of one's own.
    package init(bytes: Int, lines: Int, depth: Int = 16) {
        self.bytes = bytes
        self.lines = lines
        self.depth = depth
    }

    /// One object of a collection: 10 MiB, the `max-resource-size` that the server advertises.
    package static let object = ContentLimits(bytes: 10 << 20, lines: 100_000)
    /// A file or a subscription with many objects.
    package static let file = ContentLimits(bytes: 64 << 20, lines: 1_000_000)

    /// Bytes before the value of a line: names and parameters.
    static let head = 64 << 10
    /// Findings about one document; further ones are not noted.
    static let findings = 100
}
