// SPDX-License-Identifier: Apache-2.0
// Reads a small XML document whole, as a tree: what programs ask in the bodies of their requests.

internal import CLibXML2
internal import Diagnostics

/// An element with its attributes, and what is inside it.
package struct XMLTree: Sendable, Hashable {
    /// What stands inside an element.
    package enum Content: Sendable, Hashable {
        case element(XMLTree)
        case text(String)
    }

    /// An attribute.
    package struct Attribute: Sendable, Hashable {
        /// Local name and namespace; nil for the usual ones without prefix.
        package let name: XMLName
        /// What it says.
        package let value: String
    }

    /// Local name and namespace; prefixes say nothing.
    package let name: XMLName
    /// Attributes in the order of the document, without declarations of namespaces.
    package let attributes: [Attribute]
    /// Elements and texts in the order of the document.
    package fileprivate(set) var content: [Content] = []

    fileprivate init(_ name: XMLName, _ attributes: [Attribute]) {
        (self.name, self.attributes) = (name, attributes)
    }

    /// The elements inside.
    package var children: [XMLTree] {
        content.compactMap { if case .element(let child) = $0 { child } else { nil } }
    }

    /// The first element inside that has this name.
    package func child(_ name: XMLName) -> XMLTree? { children.first { $0.name == name } }

    /// The text directly inside.
    package var text: String {
        content.reduce(into: "") { text, part in if case .text(let more) = part { text += more } }
    }

    /// The value of an attribute without namespace.
    package func attribute(_ local: String) -> String? {
        attributes.first { $0.name == XMLName(local, namespace: nil) }?.value
    }

    /// Reads a document: well-formed, without DOCTYPE and entities of its own, within the limits.
    ///
    /// - Throws: ``XMLError``.
    package static func parse(_ bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLError) -> XMLTree {
        try XMLTreeBuilder.parse(bytes, limits)
    }
}

extension XMLTree {
    /// What is inside, as XML that needs nothing around it: each element declares its own namespace.
    package var innerXML: String {
        content.reduce(into: "") { text, part in
            switch part {
            case .text(let more): text += XMLWriter.escaped(more)
            case .element(let child): text += child.outerXML
            }
        }
    }

    /// The element as XML that needs nothing around it.
    package var outerXML: String {
        var text = "<\(name.local) xmlns=\"\(XMLWriter.escaped(name.namespace ?? ""))\""
        for (index, attribute) in attributes.enumerated() {
            switch attribute.name.namespace {
            case nil: text += " \(attribute.name.local)"
            case "http://www.w3.org/XML/1998/namespace": text += " xml:\(attribute.name.local)"
            case let space?:
                text += " xmlns:a\(index)=\"\(XMLWriter.escaped(space))\" a\(index):\(attribute.name.local)"
            }
            text += "=\"\(XMLWriter.escaped(attribute.value))\""
        }
        let inner = innerXML
        return text + (inner.isEmpty ? "/>" : ">\(inner)</\(name.local)>")
    }
}

/// What libxml2's callbacks work on while a tree is built.
@safe
private struct XMLTreeBuilder {
    let limits: XMLLimits
    var context: xmlParserCtxtPtr?
    var open: [XMLTree] = []
    var pending: [UInt8] = []
    var root: XMLTree?
    var elements = 0
    var failure: XMLError.Code?

    static func parse(_ bytes: [UInt8], _ limits: XMLLimits) throws(XMLError) -> XMLTree {
        XMLRecordReader.prepareLibrary
        guard !bytes.isEmpty else { throw XMLError(.empty) }
        var builder = unsafe XMLTreeBuilder(limits: limits)
        var handler = unsafe makeHandler()
        let code: Int32? = unsafe withUnsafeMutablePointer(to: &builder) { builder in
            guard let context = unsafe xmlCreatePushParserCtxt(&handler, builder, nil, 0, nil) else {
                return nil
            }
            _ = unsafe xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue))
            unsafe builder.pointee.context = context
            let code = unsafe bytes.withUnsafeBytes { buffer in
                unsafe xmlParseChunk(
                    context, buffer.bindMemory(to: CChar.self).baseAddress, Int32(clamping: buffer.count), 1)
            }
            let isWellFormed = unsafe context.pointee.wellFormed == 1 && context.pointee.nsWellFormed == 1
            unsafe xmlFreeParserCtxt(context)
            return isWellFormed ? code : max(1, code)
        }
        guard let code else { throw XMLError(.memory) }
        if let failure = builder.failure { throw XMLError(failure) }
        guard code == 0, let root = builder.root else { throw XMLError(.malformed) }
        return root
    }

    private mutating func fail(_ code: XMLError.Code) {
        failure = failure ?? code
        unsafe xmlStopParser(context)
    }

    private static func text(_ pointer: UnsafePointer<xmlChar>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }

    mutating func start(
        _ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?, _ count: Int,
        _ values: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    ) {
        guard failure == nil else { return }
        elements += 1
        guard open.count < limits.depth else { return fail(.depth) }
        guard elements <= limits.elements else { return fail(.elements) }
        guard count <= limits.attributes else { return fail(.attributes) }
        flush()
        var attributes: [XMLTree.Attribute] = []
        if let values = unsafe values {
            for index in 0..<count {
                guard let start = unsafe values[index * 5 + 3], let end = unsafe values[index * 5 + 4]
                else { continue }
                let length = unsafe end - start
                guard length <= limits.attributeBytes else { return fail(.attributes) }
                let value = unsafe String(
                    decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
                let name = XMLName(
                    unsafe Self.text(values[index * 5]) ?? "",
                    namespace: unsafe Self.text(values[index * 5 + 2]))
                // Without entity replacement libxml2 hands `&` over as `&#38;`.
                attributes.append(XMLTree.Attribute(name: name, value: value.replacing("&#38;", with: "&")))
            }
        }
        let name = XMLName(
            unsafe Self.text(local) ?? "", namespace: unsafe Self.text(namespace))
        open.append(XMLTree(name, attributes))
    }

    private mutating func characters(_ text: UnsafePointer<xmlChar>, _ count: Int) {
        guard failure == nil, !open.isEmpty else { return }
        guard pending.count + count <= limits.text else { return fail(.text) }
        unsafe pending.append(contentsOf: UnsafeBufferPointer(start: text, count: count))
    }

    private mutating func flush() {
        guard !pending.isEmpty, !open.isEmpty else { return }
        open[open.count - 1].content.append(.text(String(decoding: pending, as: UTF8.self)))
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func end() {
        guard failure == nil else { return }
        flush()
        guard let element = open.popLast() else { return }
        if open.isEmpty { root = element } else { open[open.count - 1].content.append(.element(element)) }
    }

    private static func makeHandler() -> xmlSAXHandler {
        var handler = unsafe xmlSAXHandler()
        unsafe handler.initialized = UInt32(XML_SAX2_MAGIC)
        unsafe handler.startElementNs = { user, local, _, namespace, _, _, count, _, attributes in
            unsafe user?.assumingMemoryBound(to: XMLTreeBuilder.self).pointee
                .start(local, namespace, Int(count), attributes)
        }
        unsafe handler.endElementNs = { user, _, _, _ in
            unsafe user?.assumingMemoryBound(to: XMLTreeBuilder.self).pointee.end()
        }
        unsafe handler.characters = { user, text, count in
            guard let text = unsafe text else { return }
            unsafe user?.assumingMemoryBound(to: XMLTreeBuilder.self).pointee.characters(text, Int(count))
        }
        unsafe handler.ignorableWhitespace = handler.characters
        unsafe handler.cdataBlock = handler.characters
        unsafe handler.internalSubset = { user, _, _, _ in
            unsafe user?.assumingMemoryBound(to: XMLTreeBuilder.self).pointee.fail(.doctype)
        }
        unsafe handler.externalSubset = handler.internalSubset
        unsafe handler.entityDecl = { user, _, _, _, _, _ in
            unsafe user?.assumingMemoryBound(to: XMLTreeBuilder.self).pointee.fail(.doctype)
        }
        // Errors are told by the parser's result; without a handler libxml2 prints them.
        unsafe handler.serror = { _, _ in }
        return unsafe handler
    }
}
