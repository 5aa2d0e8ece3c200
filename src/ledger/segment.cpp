#include "ledger/segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nmmintrin.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/assert.h"

namespace weir::ledger {
namespace {

constexpr std::uint64_t kMagic =
    0x3230'4745'5352'4957;  // "WIRSEG02", read as a little-endian number
constexpr std::size_t kLine = 64;
constexpr std::size_t kPage = 4096;

// First page of a file. `generation` is stored last: a half-written header is no header.
struct Header {
    std::uint64_t magic;
    std::uint64_t bytes;
    std::uint64_t first_sequence;
    std::uint32_t thread;
    std::uint32_t crc;  // of the fields above, seeded with the generation
    std::uint32_t generation;
};

struct RecordHead {
    std::uint64_t commit;  // generation << 32 | checksum() of all that follows
    std::uint32_t bytes;   // whole record, a multiple of 64
    std::uint32_t payload_bytes;
    std::uint64_t sequence;
    std::uint16_t kind;
    std::uint16_t reserved[3];
};
static_assert(sizeof(RecordHead) == 32);

std::uint32_t crc32c(std::uint32_t seed, const void* data, std::size_t size) {
    const auto* at = static_cast<const unsigned char*>(data);
    std::uint64_t crc = seed ^ 0xffffffffu;
    for (; size >= 8; size -= 8, at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    for (; size > 0; --size, ++at) {
        crc = _mm_crc32_u8(static_cast<std::uint32_t>(crc), *at);
    }
    return static_cast<std::uint32_t>(crc) ^ 0xffffffffu;
}

// The words of a record in three CRC-32C side by side, then those in one. The processor's
// instruction takes three cycles and can begin one in each: a single chain was more than half of an
// append.
std::uint32_t checksum(std::uint32_t seed, const char* at, std::size_t size) {
    constexpr std::size_t kLanes = 3, kWord = sizeof(std::uint64_t);
    std::array<std::uint64_t, kLanes> lanes{seed, 0, 0};
    const auto word = [at](std::size_t offset) {
        std::uint64_t value = 0;
        std::memcpy(&value, at + offset, sizeof value);
        return value;
    };
    std::size_t done = 0;
    for (; done + kLanes * kWord <= size; done += kLanes * kWord) {
        lanes[0] = _mm_crc32_u64(lanes[0], word(done));
        lanes[1] = _mm_crc32_u64(lanes[1], word(done + kWord));
        lanes[2] = _mm_crc32_u64(lanes[2], word(done + 2 * kWord));
    }
    for (; done < size; done += kWord) {
        lanes[0] = _mm_crc32_u64(lanes[0], word(done));
    }
    return static_cast<std::uint32_t>(_mm_crc32_u64(_mm_crc32_u64(lanes[0], lanes[1]), lanes[2]));
}

std::atomic_ref<std::uint64_t> commit_word(char* at) {
    return std::atomic_ref<std::uint64_t>(*reinterpret_cast<std::uint64_t*>(at));
}

Failure no_space(std::string_view what, const std::string& path, int error) {
    return fail(Code::storage_unavailable,
                "The gateway cannot write its records; try again shortly.")
        .detail(fmt::format("{} {}: {}", what, path, std::strerror(error)));
}

// What the signal handler may look at: no locks, no allocation there.
struct Mapping {
    std::atomic<char*> base = nullptr;
    std::atomic<std::size_t> bytes = 0;
    std::atomic<std::atomic<bool>*> lost = nullptr;
};
constexpr std::size_t kMappingsMax = 4096;
std::array<Mapping, kMappingsMax> mappings;

void enter_mapping(char* base, std::size_t bytes, std::atomic<bool>* lost) {
    for (Mapping& mapping : mappings) {
        char* none = nullptr;
        if (mapping.base.compare_exchange_strong(none, base)) {
            mapping.lost = lost;
            mapping.bytes = bytes;
            return;
        }
    }
}

void leave_mapping(char* base) {
    for (Mapping& mapping : mappings) {
        if (mapping.base.load() == base) {
            mapping.bytes = 0;
            mapping.base = nullptr;
            return;
        }
    }
}

void on_sigbus(int, siginfo_t* info, void*) {
    auto* const address = static_cast<char*>(info->si_addr);
    for (Mapping& mapping : mappings) {
        char* const base = mapping.base.load();
        const std::size_t bytes = mapping.bytes.load();
        if (base != nullptr && address >= base && address < base + bytes) {
            void* const replaced = ::mmap(base,
                                          bytes,
                                          PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                                          -1,
                                          0);
            if (replaced == base) {
                mapping.lost.load()->store(true, std::memory_order_release);
                return;
            }
        }
    }
    ::signal(SIGBUS, SIG_DFL);  // not ours: the fault comes again and ends the process as it should
}

}  // namespace

void install_sigbus_guard() {
    struct sigaction action{};
    action.sa_sigaction = &on_sigbus;
    action.sa_flags = SA_SIGINFO;
    WEIR_ASSERT(::sigaction(SIGBUS, &action, nullptr) == 0);
}

Segment::Segment(int fd, char* base, std::size_t bytes) : fd_(fd), base_(base), bytes_(bytes) {
    enter_mapping(base_, bytes_, &lost_);
}

Segment::~Segment() {
    leave_mapping(base_);
    ::munmap(base_, bytes_);
    ::close(fd_);
}

Result<std::unique_ptr<Segment>> Segment::create(const std::string& path, std::size_t bytes) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return no_space("creating", path, errno);
    }
    const int allocated = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));  // returns its error
    void* base = MAP_FAILED;
    if (allocated == 0) {
        base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (allocated != 0 || base == MAP_FAILED) {
        const int error = allocated != 0 ? allocated : errno;
        ::close(fd);
        ::unlink(path.c_str());
        return no_space("allocating", path, error);
    }
    ::madvise(
        base, bytes, MADV_POPULATE_WRITE);  // best effort: without it the first use is only slower
    return std::unique_ptr<Segment>(new Segment(fd, static_cast<char*>(base), bytes));
}

Result<std::unique_ptr<Segment>> Segment::open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return no_space("opening", path, errno);
    }
    struct stat status{};
    ::fstat(fd, &status);
    const auto bytes = static_cast<std::size_t>(status.st_size);
    if (bytes <= kSegmentHeaderBytes) {  // cut short before it was ever used
        ::close(fd);
        return std::unique_ptr<Segment>();
    }
    void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        const int error = errno;
        ::close(fd);
        return no_space("mapping", path, error);
    }
    auto segment = std::unique_ptr<Segment>(new Segment(fd, static_cast<char*>(base), bytes));
    segment->generation_ = reinterpret_cast<const Header*>(base)->generation;
    if (!segment->is_valid()) {
        return std::unique_ptr<Segment>();
    }
    return segment;
}

void Segment::retire() {
    std::atomic_ref(reinterpret_cast<Header*>(base_)->generation)
        .store(0, std::memory_order_release);
}

void Segment::begin(std::uint32_t generation, unsigned thread, std::uint64_t first_sequence) {
    const std::lock_guard guard(sync_lock_);
    auto* header = reinterpret_cast<Header*>(base_);
    std::atomic_ref(header->generation).store(0, std::memory_order_release);
    header->magic = kMagic;
    header->bytes = bytes_;
    header->first_sequence = first_sequence;
    header->thread = thread;
    header->crc = crc32c(generation, header, offsetof(Header, crc));
    commit_word(base_ + kSegmentHeaderBytes).store(0, std::memory_order_release);
    std::atomic_ref(header->generation).store(generation, std::memory_order_release);
    generation_ = generation;
    at_ = kSegmentHeaderBytes;
    // The header becomes durable with the first records. Until then a power cut finds the old one,
    // whose records were drained long ago and are known by their sequence.
    synced_ = 0;
    written_.store(at_, std::memory_order_release);
    sealed_.store(false, std::memory_order_release);
}

bool Segment::is_valid() const {
    const auto* header = reinterpret_cast<const Header*>(base_);
    return header->generation != 0 && header->magic == kMagic && header->bytes == bytes_ &&
           header->crc == crc32c(header->generation, header, offsetof(Header, crc));
}

unsigned Segment::thread() const { return reinterpret_cast<const Header*>(base_)->thread; }
std::uint64_t Segment::first_sequence() const {
    return reinterpret_cast<const Header*>(base_)->first_sequence;
}

std::size_t Segment::space_for(std::size_t payload_bytes) {
    return (sizeof(RecordHead) + payload_bytes + kLine - 1) & ~(kLine - 1);
}

void Segment::append(Kind kind, std::uint64_t sequence, std::string_view payload) {
    const std::size_t whole = space_for(payload.size());
    WEIR_ASSERT(whole <= space_left());
    char* const at = base_ + at_;
    RecordHead head{.commit = 0,
                    .bytes = static_cast<std::uint32_t>(whole),
                    .payload_bytes = static_cast<std::uint32_t>(payload.size()),
                    .sequence = sequence,
                    .kind = static_cast<std::uint16_t>(kind),
                    .reserved = {}};
    constexpr std::size_t kWord = sizeof head.commit;
    std::memcpy(at + kWord, reinterpret_cast<const char*>(&head) + kWord, sizeof head - kWord);
    std::memcpy(at + sizeof head, payload.data(), payload.size());
    std::memset(at + sizeof head + payload.size(), 0, whole - sizeof head - payload.size());
    const std::uint64_t commit =
        std::uint64_t{generation_} << 32 | checksum(generation_, at + kWord, whole - kWord);
    at_ += whole;
    if (at_ + kLine <= bytes_) {
        commit_word(base_ + at_).store(0, std::memory_order_relaxed);
    }
    commit_word(at).store(commit, std::memory_order_release);
    written_.store(at_, std::memory_order_release);
}

Segment::Read Segment::read(std::size_t& at, View& view) const {
    if (at + kLine > bytes_) {
        return Read::end;
    }
    char* const from = base_ + at;
    const std::uint64_t commit = commit_word(from).load(std::memory_order_acquire);
    if (commit >> 32 != generation_) {
        return Read::end;
    }
    RecordHead head;
    std::memcpy(&head, from, sizeof head);
    constexpr std::size_t kWord = sizeof head.commit;
    if (head.bytes < kLine || head.bytes % kLine != 0 || head.bytes > bytes_ - at ||
        head.payload_bytes > head.bytes - sizeof head ||
        static_cast<std::uint32_t>(commit) !=
            checksum(generation_, from + kWord, head.bytes - kWord)) {
        return Read::torn;
    }
    view = {static_cast<Kind>(head.kind), head.sequence, {from + sizeof head, head.payload_bytes}};
    at += head.bytes;
    return Read::record;
}

void Segment::prefault() { ::madvise(base_, bytes_, MADV_POPULATE_WRITE); }

void Segment::sync() {
    const std::lock_guard guard(sync_lock_);
    const std::size_t end = written_.load(std::memory_order_acquire);
    if (end <= synced_ || is_lost()) {
        return;
    }
    // Only the written range, its last page included: syncing the file would write-protect all of
    // it and make every append meet a page fault again.
    const std::size_t from = synced_ / kPage * kPage;
    if (::msync(base_ + from, end - from, MS_SYNC) == 0) {
        synced_ = end;
    }
}

}  // namespace weir::ledger
