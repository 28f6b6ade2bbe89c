#include "strategy/linear/element_tiles.h"

#include <gtest/gtest.h>

#include "testing/fold_samples.h"

namespace skein {
namespace {

using testing::MakeManifest;
using testing::MixedManifest;

TEST(ElementTiles, CoverEveryElementOnceInOrder) {
  const Manifest model = MixedManifest();
  for (const uint64_t tile_elements : {1, 3, 7, 64, 4096, 100000}) {
    const ElementTiles tiles(model, tile_elements);
    uint64_t next = 0;
    for (size_t tile = 0; tile < tiles.size(); ++tile) {
      const uint64_t begin = next;
      tiles.ForPieces(tile, [&](const ElementTiles::Piece& piece) {
        EXPECT_EQ(piece.element, next);
        EXPECT_EQ(piece.element, tiles.start(piece.tensor) + piece.first);
        EXPECT_GT(piece.count, 0u);
        EXPECT_LE(piece.first + piece.count, model[piece.tensor].NumElements());
        next += piece.count;
      });
      EXPECT_LE(next - begin, tile_elements);
      EXPECT_GT(next, begin);
    }
    EXPECT_EQ(next, tiles.elements());
  }
}

TEST(ElementTiles, EndWithTheLastByteOfTheirLastElement) {
  using enum DType;
  const Manifest model = MakeManifest(
      {{"flag", kBool, {1}}, {"none", kFloat32, {0}}, {"w", kFloat32, {5}}, {"n", kInt16, {3}}});
  const ElementTiles tiles(model, 4);
  ASSERT_EQ(tiles.size(), 3u);
  EXPECT_EQ(tiles.EndInBytes(0, model), 1u + 3 * 4);
  EXPECT_EQ(tiles.EndInBytes(1, model), 1u + 5 * 4 + 2 * 2);
  EXPECT_EQ(tiles.EndInBytes(2, model), model.total_bytes());
  const Manifest sums = *PartialManifest(model);
  EXPECT_EQ(tiles.EndInBytes(0, sums), 4u * 8);
  EXPECT_EQ(tiles.EndInBytes(2, sums), sums.total_bytes());
}

TEST(ElementTiles, ThereAreNoneWithoutElements) {
  EXPECT_EQ(ElementTiles(Manifest(), 4).size(), 0u);
  EXPECT_EQ(ElementTiles(MakeManifest({{"none", DType::kFloat32, {0}}}), 4).size(), 0u);
}

}  // namespace
}  // namespace skein
