// SPDX-License-Identifier: Apache-2.0
// What a hostile or broken XML file may cost at most.

/// Limits that the reader enforces itself; libxml2's push parser has none of them.
package struct XMLLimits: Sendable, Hashable {
    /// Nested elements.
    package var depth = 64
    /// Bytes of text between two tags, and of all text of an element that is kept; a skipped element's text is bounded by ``record`` alone, since
    /// attached scans are larger than any text.
    package var text = 1 << 20
    /// Attributes of one element.
    package var attributes = 64
    /// Bytes of one attribute's value.
    package var attributeBytes = 64 << 10
    /// Bytes of one record: kept text and skipped text together.
    package var record = 64 << 20
    /// Elements of one record.
    package var elements = 1_000_000

    /// The usual limits.
    package init() {}
}
