//===- FirstWrongTest.cpp - the value where a model begins to differ -----===//
// Part of txc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/txc/FirstWrong.h"
#include "gtest/gtest.h"

using namespace txc::tool;

namespace {

/// Which values a fault at `fault` makes wrong: those computed from it.
std::vector<bool> spread(const ValueGraph &graph, unsigned fault) {
  std::vector<bool> wrong(graph.size(), false);
  wrong[fault] = true;
  for (unsigned value = fault + 1; value < graph.size(); ++value)
    for (unsigned operand : graph[value])
      wrong[value] = wrong[value] || wrong[operand];
  return wrong;
}

ValueGraph makeChain(unsigned length) {
  ValueGraph graph(length);
  for (unsigned value = 1; value < length; ++value)
    graph[value] = {value - 1};
  return graph;
}

TEST(FirstWrong, AsksFewOfAChain) {
  ValueGraph graph = makeChain(1000);
  for (unsigned fault : {0U, 1U, 499U, 500U, 501U, 998U, 999U}) {
    std::vector<bool> wrong = spread(graph, fault);
    int asked = 0;
    EXPECT_EQ(findFirstWrong(graph, 999U,
                             [&](unsigned value) -> std::optional<bool> {
                               ++asked;
                               return wrong[value];
                             }),
              fault);
    EXPECT_LE(asked, 11);
  }
}

TEST(FirstWrong, FollowsTheBranchOfTheFault) {
  // Layers of four values: three from the one before, and what joins them. A
  // right value of another branch says nothing of the ones before it.
  ValueGraph graph = {{}};
  for (unsigned layer = 0; layer < 8; ++layer) {
    unsigned join = graph.size() - 1;
    graph.push_back({join});
    graph.push_back({join});
    graph.push_back({join});
    graph.push_back({join + 1, join + 2, join + 3});
  }
  auto end = static_cast<unsigned>(graph.size() - 1);
  for (unsigned fault = 0; fault < graph.size(); ++fault) {
    std::vector<bool> wrong = spread(graph, fault);
    EXPECT_EQ(findFirstWrong(graph, end,
                             [&](unsigned value) -> std::optional<bool> {
                               return wrong[value];
                             }),
              fault);
  }
}

TEST(FirstWrong, LooksAtWhatLeadsToTheEndsOnly) {
  // 0 → 1 → 2 and 0 → 3 → 4: value 3 is wrong, but not on the way to 2.
  ValueGraph graph = {{}, {0}, {1}, {0}, {3}};
  auto isWrong = [](unsigned value) -> std::optional<bool> {
    return value >= 3;
  };
  EXPECT_EQ(findFirstWrong(graph, 2U, isWrong), std::nullopt);
  EXPECT_EQ(findFirstWrong(graph, 4U, isWrong), 3U);
  EXPECT_EQ(findFirstWrong(graph, {2U, 4U}, isWrong), 3U);
}

TEST(FirstWrong, PassesByWhatCantBeTold) {
  ValueGraph graph = makeChain(9);
  std::vector<bool> wrong = spread(graph, 6);
  EXPECT_EQ(findFirstWrong(graph, 8U,
                           [&](unsigned value) -> std::optional<bool> {
                             if (value == 4 || value == 7)
                               return std::nullopt;
                             return wrong[value];
                           }),
            6U);
}

} // namespace
