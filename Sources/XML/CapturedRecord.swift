// SPDX-License-Identifier: Apache-2.0
// What was kept of one record: a small tree of captured elements and attributes in document order.

/// A captured element or attribute; children follow their parents.
package struct Capture: Sendable, BitwiseCopyable {
    /// The trie node.
    package let node: Int32
    /// Number of the capture around it; −1 for the record element, which is number 0.
    package let parent: Int32
    /// Number behind the last capture inside it.
    package let end: Int32
    /// Number of bytes of its text.
    package let textCount: Int32
    /// First byte of its text among the record's texts.
    package let textStart: Int

    /// A capture of another reader's.
    package init(node: Int32, parent: Int32, end: Int32, textCount: Int32, textStart: Int) {
        self.node = node
        self.parent = parent
        self.end = end
        self.textCount = textCount
        self.textStart = textStart
    }
}

/// A record at its end, still in the reader's memory; valid only during the call that gets it.
@safe
package struct CapturedRecord {
    private let state: UnsafeMutablePointer<SAXState>
    private let record: FinishedRecord

    init(state: UnsafeMutablePointer<SAXState>, record: FinishedRecord) {
        unsafe self.state = state
        self.record = record
    }

    /// Number of the record element's name in ``PathTrie/records``.
    package var name: Int { record.name }
    /// One-based line where the record's start tag ends.
    package var line: Int { record.line }
    /// An offset inside the record's start tag, and the one behind its end tag.
    package var offsets: (inStartTag: Int, end: Int) { (record.startOffset, record.endOffset) }

    /// Copies the record out of the reader's memory.
    ///
    /// - Parameters:
    ///   - captures: gets the record's captures in place of what was in it.
    ///   - bytes: gets their texts behind what is in it, as libxml2 handed them over, in UTF-8.
    package func copy(into captures: inout [Capture], _ bytes: inout [UInt8]) {
        captures.removeAll(keepingCapacity: true)
        let base = bytes.count - record.textStart
        let first = Int32(record.first)
        let instances = unsafe state.pointee.instances.start
        captures.append(addingCapacity: record.end - record.first) { (output: inout OutputSpan<Capture>) in
            for index in record.first..<record.end {
                let instance = unsafe instances[index]
                output.append(
                    Capture(
                        node: instance.node, parent: max(instance.parent &- first, -1),
                        end: instance.end &- first, textCount: Int32(truncatingIfNeeded: instance.textCount),
                        textStart: instance.textStart &+ base))
            }
        }
        unsafe bytes.append(
            contentsOf: UnsafeBufferPointer(
                start: state.pointee.arena.start + record.textStart,
                count: record.textEnd - record.textStart))
    }
}
