// SPDX-License-Identifier: Apache-2.0
// What libxml2's callbacks work on: plain memory behind one raw pointer, with every limit checked on the way in.

internal import CLibXML2
internal import Glibc

/// One captured element or attribute of the records read so far.
struct Instance {
    var node: Int32
    /// Index of the enclosing captured element; −1 for the record element.
    var parent: Int32
    /// Index behind the last instance inside this one.
    var end: Int32
    /// Kept text: first byte in the arena and number of bytes.
    var textStart: Int
    var textCount: Int
}

/// A record that has been read to its end.
struct FinishedRecord {
    var first: Int
    var end: Int
    /// Which of the trie's record names it has.
    var name: Int
    var line: Int
    /// Offset somewhere inside the record's start tag, and the one behind its end tag.
    var startOffset: Int
    var endOffset: Int
    /// The record's texts in the arena.
    var textStart: Int
    var textEnd: Int
}

/// A node of the trie with interned names: matching compares pointers.
@safe
struct InternedNode {
    var local: UnsafePointer<xmlChar>?
    var namespace: UnsafePointer<xmlChar>?
    var isAttribute: Bool
    var keepsText: Bool
    var isSkipped: Bool
    var firstChild: Int32
    var nextSibling: Int32
}

/// The reader's state. A struct reached through a raw pointer: a class here costs a third of the speed in
/// exclusivity checks and reference counts (measured), and a `String` per value almost half.
@safe
struct SAXState {
    /// An element that is open: its trie node (−1 outside the trie) and its instance (−1 when it has none).
    struct Frame {
        var node: Int32
        var instance: Int32
        var textBytes: Int
    }

    /// A namespace pattern (`urn:x:*`): what namespaces that begin like it are taken for.
    @safe
    struct NamespacePattern {
        var name: UnsafePointer<xmlChar>
        /// Bytes in front of the `*`.
        var prefixCount: Int
    }

    /// What was found for a name inside a node, since a file has few names: the child, or −1.
    @safe
    struct KnownMatch {
        var local: UnsafePointer<xmlChar>?
        var namespace: UnsafePointer<xmlChar>?
        var parent: Int32 = -1
        var child: Int32 = -1

        /// So many are remembered; a power of two.
        static let capacity = 512
    }

    let limits: XMLLimits
    let knownMatches: UnsafeMutablePointer<KnownMatch>
    var namespacePatterns = GrowingBuffer<NamespacePattern>()
    /// The last namespace that a pattern was looked for, and what it is taken for.
    var lastNamespace: UnsafePointer<xmlChar>?
    var lastMeaning: UnsafePointer<xmlChar>?
    var context: xmlParserCtxtPtr?
    var nodes: UnsafeMutablePointer<InternedNode>
    var nodeCount: Int
    var recordNames: UnsafeMutablePointer<InternedNode>
    var recordNameCount: Int
    var frames: UnsafeMutablePointer<Frame>
    var depth = 0
    var hasRoot = false
    /// Depth of the record element; 0 outside records.
    var recordDepth = 0
    /// Depth of the skipped element; 0 outside.
    var skipDepth = 0
    var recordBytes = 0
    var recordElements = 0
    var current = FinishedRecord(
        first: 0, end: 0, name: 0, line: 0, startOffset: 0, endOffset: 0, textStart: 0, textEnd: 0)
    var instances = GrowingBuffer<Instance>()
    var arena = GrowingBuffer<UInt8>()
    var finished = GrowingBuffer<FinishedRecord>()
    /// Our own stop flag: after `xmlStopParser` libxml2 still says "well-formed".
    var failure: XMLError.Code?
    var failureLine = 0
    var failureColumn = 0
    /// libxml2's first complaint: its number, its place and its words (to be freed).
    var complaint: Int32 = 0
    var complaintLine = 0
    var complaintColumn = 0
    var complaintWords: UnsafeMutablePointer<CChar>?

    /// Allocates the state for `trie`, its names not yet interned.
    init(_ trie: PathTrie, limits: XMLLimits) {
        self.limits = limits
        nodeCount = trie.entries.count
        recordNameCount = trie.records.count
        unsafe nodes = .allocate(capacity: max(nodeCount, 1))
        unsafe recordNames = .allocate(capacity: max(recordNameCount, 1))
        unsafe frames = .allocate(capacity: limits.depth + 1)
        unsafe knownMatches = .allocate(capacity: KnownMatch.capacity)
        unsafe knownMatches.initialize(repeating: KnownMatch(), count: KnownMatch.capacity)
    }

    /// Frees everything but the context.
    mutating func deallocate() {
        unsafe nodes.deallocate()
        unsafe recordNames.deallocate()
        unsafe frames.deallocate()
        unsafe knownMatches.deallocate()
        instances.deallocate()
        arena.deallocate()
        finished.deallocate()
        namespacePatterns.deallocate()
        unsafe free(complaintWords)
    }

    /// Looks up every name of the trie in the parser's dictionary.
    mutating func intern(_ trie: PathTrie) {
        let dictionary = unsafe context?.pointee.dict
        func interned(_ text: String?) -> UnsafePointer<xmlChar>? {
            guard let text else { return nil }
            return unsafe xmlDictLookup(dictionary, text, -1)
        }
        for pattern in trie.namespacePatterns {
            guard let name = unsafe interned(pattern) else { continue }
            unsafe namespacePatterns.append(
                NamespacePattern(name: name, prefixCount: pattern.utf8.count - 1))
        }
        for (index, entry) in trie.entries.enumerated() {
            unsafe (nodes + index).initialize(
                to: InternedNode(
                    local: interned(entry.name.local), namespace: interned(entry.name.namespace),
                    isAttribute: entry.isAttribute, keepsText: entry.keepsText, isSkipped: entry.isSkipped,
                    firstChild: Int32(entry.children.first ?? -1), nextSibling: -1))
        }
        for entry in trie.entries {
            for (child, next) in zip(entry.children, entry.children.dropFirst()) {
                unsafe nodes[child].nextSibling = Int32(next)
            }
        }
        for (index, name) in trie.records.enumerated() {
            unsafe (recordNames + index).initialize(
                to: InternedNode(
                    local: interned(name.local), namespace: interned(name.namespace), isAttribute: false,
                    keepsText: false, isSkipped: false, firstChild: -1, nextSibling: -1))
        }
    }

    // MARK: - Events

    /// Notes the first fault that libxml2 reports; later ones follow from it.
    mutating func complain(_ error: xmlErrorPtr) {
        guard unsafe error.pointee.level.rawValue >= XML_ERR_ERROR.rawValue, complaint == 0 else { return }
        complaint = unsafe error.pointee.code
        complaintLine = Int(unsafe error.pointee.line)
        complaintColumn = Int(unsafe error.pointee.int2)
        if let words = unsafe error.pointee.message { unsafe complaintWords = strdup(words) }
    }

    /// Stops the parser for good with the first reason given.
    mutating func fail(_ code: XMLError.Code) {
        guard failure == nil else { return }
        failure = code
        guard let input = unsafe context?.pointee.input else { return }
        failureLine = Int(unsafe input.pointee.line)
        failureColumn = Int(unsafe input.pointee.col)
        unsafe xmlStopParser(context)
    }

    /// An element begins. `attributes` holds five pointers each: local name, prefix, namespace, value, its end.
    mutating func start(
        _ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?, _ attributeCount: Int,
        _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    ) {
        hasRoot = true
        guard depth < limits.depth else { return fail(.depth) }
        guard attributeCount <= limits.attributes else { return fail(.attributes) }
        // A text node ends here: the blanks between a million records are no long text.
        if depth > 0 { unsafe frames[depth - 1].textBytes = 0 }
        var frame = Frame(node: -1, instance: -1, textBytes: 0)
        let namespace = unsafe namespacePatterns.count == 0 ? namespace : meaning(of: namespace)
        if recordDepth == 0 {
            if let name = unsafe recordName(local, namespace) { begin(name, &frame) }
        } else if skipDepth == 0 {
            recordElements += 1
            if recordElements > limits.elements { return fail(.elements) }
            unsafe match(local, namespace, &frame)
        }
        unsafe frames[depth] = frame
        depth += 1
        if frame.instance >= 0 && attributeCount > 0, let attributes = unsafe attributes {
            unsafe keep(attributes, attributeCount, frame)
        }
    }

    /// The pattern that a namespace follows, or itself.
    private mutating func meaning(of namespace: UnsafePointer<xmlChar>?) -> UnsafePointer<xmlChar>? {
        guard let namespace = unsafe namespace else { return nil }
        if unsafe namespace == lastNamespace { return unsafe lastMeaning }
        unsafe lastNamespace = namespace
        unsafe lastMeaning = namespace
        for index in 0..<namespacePatterns.count {
            let pattern = unsafe namespacePatterns.start[index]
            if unsafe xmlStrncmp(namespace, pattern.name, Int32(pattern.prefixCount)) == 0 {
                unsafe lastMeaning = pattern.name
            }
        }
        return unsafe lastMeaning
    }

    private func recordName(_ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?) -> Int? {
        for index in 0..<recordNameCount
        where unsafe recordNames[index].local == local && recordNames[index].namespace == namespace {
            return index
        }
        return nil
    }

    private mutating func begin(_ name: Int, _ frame: inout Frame) {
        recordDepth = depth + 1
        recordBytes = 0
        recordElements = 0
        current.first = instances.count
        current.name = name
        current.textStart = arena.count
        current.line = Int(unsafe context?.pointee.input?.pointee.line ?? 0)
        current.startOffset = unsafe xmlByteConsumed(context)
        frame.node = 0
        frame.instance = add(node: 0, parent: -1)
    }

    /// Finds the element among the children of the innermost open node.
    private mutating func match(
        _ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?, _ frame: inout Frame
    ) {
        let parent = unsafe frames[depth - 1]
        guard parent.node >= 0 else { return }
        let child = unsafe child(of: parent.node, local, namespace)
        guard child >= 0 else { return }
        guard unsafe !nodes[Int(child)].isSkipped else {
            skipDepth = depth + 1
            return
        }
        frame.node = child
        frame.instance = add(node: child, parent: parent.instance)
    }

    /// The element node with a name inside a node; −1 where the trie has none.
    @inline(__always)
    private func child(
        of parent: Int32, _ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?
    ) -> Int32 {
        let hash = UInt(bitPattern: local) >> 3 ^ UInt(truncatingIfNeeded: parent) &* 37
        let known = unsafe knownMatches + Int(hash & UInt(KnownMatch.capacity - 1))
        if unsafe known.pointee.local == local && known.pointee.parent == parent
            && known.pointee.namespace == namespace
        {
            return unsafe known.pointee.child
        }
        var child = unsafe nodes[Int(parent)].firstChild
        while child >= 0 {
            let node = unsafe nodes + Int(child)
            if unsafe node.pointee.local == local && node.pointee.namespace == namespace
                && !node.pointee.isAttribute
            {
                break
            }
            child = unsafe node.pointee.nextSibling
        }
        unsafe known.pointee = unsafe KnownMatch(
            local: local, namespace: namespace, parent: parent, child: child)
        return child
    }

    private mutating func keep(
        _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>, _ count: Int, _ frame: Frame
    ) {
        for index in 0..<count {
            guard let value = unsafe attributes[index * 5 + 3], let end = unsafe attributes[index * 5 + 4]
            else {
                continue
            }
            let length = unsafe end - value
            if length > limits.attributeBytes { return fail(.attributes) }
            recordBytes += length
            if recordBytes > limits.record { return fail(.record) }
            var child = unsafe nodes[Int(frame.node)].firstChild
            while child >= 0 {
                let node = unsafe nodes + Int(child)
                if unsafe node.pointee.isAttribute && node.pointee.local == attributes[index * 5]
                    && node.pointee.namespace == attributes[index * 5 + 2]
                {
                    let instance = add(node: child, parent: frame.instance)
                    unsafe appendAttribute(value, length, to: Int(instance))
                    break
                }
                child = unsafe node.pointee.nextSibling
            }
        }
    }

    private mutating func add(node: Int32, parent: Int32) -> Int32 {
        let index = instances.count
        instances.append(
            Instance(node: node, parent: parent, end: Int32(index + 1), textStart: arena.count, textCount: 0))
        return Int32(index)
    }

    /// A piece of text or CDATA.
    mutating func characters(_ text: UnsafePointer<xmlChar>, _ count: Int) {
        guard recordDepth > 0 else { return countOutside(count) }
        recordBytes += count
        if recordBytes > limits.record { return fail(.record) }
        guard skipDepth == 0 else { return }
        let frame = unsafe frames + (depth - 1)
        unsafe frame.pointee.textBytes += count
        if unsafe frame.pointee.textBytes > limits.text { return fail(.text) }
        guard unsafe frame.pointee.instance >= 0 && nodes[Int(frame.pointee.node)].keepsText else { return }
        unsafe append(text, count, to: Int(frame.pointee.instance))
    }

    private mutating func countOutside(_ count: Int) {
        guard depth > 0 else { return }
        unsafe frames[depth - 1].textBytes += count
        if unsafe frames[depth - 1].textBytes > limits.text { fail(.text) }
    }

    /// Adds text to an instance; text around child elements (mixed content) is brought together first.
    private mutating func append(_ text: UnsafePointer<xmlChar>, _ count: Int, to index: Int) {
        let instance = unsafe instances.start + index
        if unsafe instance.pointee.textStart + instance.pointee.textCount != arena.count {
            recordBytes += unsafe instance.pointee.textCount
            if recordBytes > limits.record { return fail(.record) }
            let start = arena.count
            unsafe arena.appendOwn(from: instance.pointee.textStart, count: instance.pointee.textCount)
            unsafe instance.pointee.textStart = start
        }
        if unsafe instance.pointee.textCount + count > limits.text { return fail(.text) }
        unsafe arena.append(text, count)
        unsafe instance.pointee.textCount += count
    }

    /// Keeps an attribute's value. Without entity replacement libxml2 hands `&` over as `&#38;`, whichever way
    /// the file wrote it.
    private mutating func appendAttribute(_ value: UnsafePointer<xmlChar>, _ count: Int, to index: Int) {
        var start = 0
        while start < count {
            var end = start
            while end < count, unsafe value[end] != UInt8(ascii: "&") { end += 1 }
            let keepsMark = end < count ? 1 : 0
            unsafe append(value + start, end - start + keepsMark, to: index)
            start = end + 5 * keepsMark
        }
    }

    /// The innermost element ends.
    mutating func end() {
        guard depth > 0, failure == nil else { return }
        depth -= 1
        let instance = unsafe frames[depth].instance
        if instance >= 0 { unsafe instances.start[Int(instance)].end = Int32(instances.count) }
        if depth + 1 == skipDepth { skipDepth = 0 }
        if depth + 1 == recordDepth {
            recordDepth = 0
            current.end = instances.count
            current.textEnd = arena.count
            current.endOffset = unsafe xmlByteConsumed(context)
            finished.append(current)
        }
    }

    // MARK: - Handing records over

    /// Drops the finished records and moves what belongs to the open one to the front.
    mutating func dropFinished() {
        finished.removeAll()
        guard recordDepth > 0 else {
            instances.removeAll()
            arena.removeAll()
            return
        }
        let firstInstance = current.first
        guard firstInstance > 0 else { return }
        let firstByte = current.textStart
        instances.dropFirst(firstInstance)
        arena.dropFirst(firstByte)
        for index in 0..<(instances.count) {
            unsafe instances.start[index].parent -= Int32(firstInstance)
            unsafe instances.start[index].end -= Int32(firstInstance)
            unsafe instances.start[index].textStart -= firstByte
        }
        unsafe instances.start[0].parent = -1
        for index in 0..<depth where unsafe frames[index].instance >= 0 {
            unsafe frames[index].instance -= Int32(firstInstance)
        }
        current.first = 0
        current.textStart = 0
    }
}
