// SPDX-License-Identifier: Apache-2.0
// A growing block of memory without reference counts, for the one struct that libxml2's callbacks work on.

/// Elements in one block that doubles when it is full; freed by hand.
@safe
struct GrowingBuffer<Element: BitwiseCopyable> {
    private(set) var start: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity: Int

    init() {
        capacity = 256
        unsafe start = .allocate(capacity: capacity)
    }

    func deallocate() {
        unsafe start.deallocate()
    }

    mutating func append(_ element: Element) {
        reserve(1)
        unsafe (start + count).initialize(to: element)
        count += 1
    }

    mutating func append(_ elements: UnsafePointer<Element>, _ added: Int) {
        reserve(added)
        unsafe (start + count).initialize(from: elements, count: added)
        count += added
    }

    /// Appends a copy of some of its own elements.
    mutating func appendOwn(from first: Int, count added: Int) {
        reserve(added)
        unsafe (start + count).initialize(from: start + first, count: added)
        count += added
    }

    mutating func removeAll() {
        count = 0
    }

    mutating func dropFirst(_ dropped: Int) {
        unsafe start.update(from: start + dropped, count: count - dropped)
        count -= dropped
    }

    private mutating func reserve(_ added: Int) {
        guard count + added > capacity else { return }
        capacity = max(capacity * 2, count + added)
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        unsafe larger.moveInitialize(from: start, count: count)
        unsafe start.deallocate()
        unsafe start = larger
    }
}
