// SPDX-License-Identifier: Apache-2.0
// Looks at the first elements of an XML file, to tell what kind of file it is.

internal import CLibXML2

/// The first elements of a file.
package enum XMLElements {
    /// Names of the first start tags in `head`, at most 64; fewer where the text breaks off or is not XML.
    ///
    /// A DOCTYPE ends the look, and nothing outside the bytes is ever loaded.
    package static func first(in head: [UInt8]) -> [XMLName] {
        XMLRecordReader.prepareLibrary
        var names = Names()
        var handler = unsafe makeHandler()
        unsafe withUnsafeMutablePointer(to: &names) { names in
            guard let context = unsafe xmlCreatePushParserCtxt(&handler, names, nil, 0, nil) else { return }
            _ = unsafe xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue))
            unsafe names.pointee.context = context
            unsafe head.withUnsafeBytes { buffer in
                _ = unsafe xmlParseChunk(
                    context, buffer.bindMemory(to: CChar.self).baseAddress, Int32(buffer.count), 0)
            }
            unsafe xmlFreeParserCtxt(context)
        }
        return names.found
    }

    /// What is wrong with the XML of a file.
    ///
    /// - Parameter isWhole: whether `head` is the whole file, so that an end that is missing is a fault.
    package static func fault(in head: [UInt8], isWhole: Bool) -> XMLError? {
        do {
            let reader = try XMLRecordReader(PathTrie(records: []))
            try reader.feed(head) { _ in }
            if isWhole { try reader.finish { _ in } }
            return nil
        } catch {
            return error as? XMLError
        }
    }

    @safe
    private struct Names {
        var found: [XMLName] = []
        var context: xmlParserCtxtPtr?

        mutating func add(_ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?) {
            guard found.count < 64, let local = unsafe local else { return stop() }
            found.append(
                unsafe XMLName(
                    String(cString: local), namespace: namespace.map { unsafe String(cString: $0) }))
        }

        func stop() {
            unsafe xmlStopParser(context)
        }
    }

    private static func makeHandler() -> xmlSAXHandler {
        var handler = unsafe xmlSAXHandler()
        unsafe handler.initialized = UInt32(XML_SAX2_MAGIC)
        unsafe handler.startElementNs = { user, local, _, namespace, _, _, _, _, _ in
            unsafe user?.assumingMemoryBound(to: Names.self).pointee.add(local, namespace)
        }
        unsafe handler.internalSubset = { user, _, _, _ in
            unsafe user?.assumingMemoryBound(to: Names.self).pointee.stop()
        }
        unsafe handler.entityDecl = { user, _, _, _, _, _ in
            unsafe user?.assumingMemoryBound(to: Names.self).pointee.stop()
        }
        // Errors are expected where the head breaks off; without a handler libxml2 prints them.
        unsafe handler.serror = { _, _ in }
        return unsafe handler
    }
}
